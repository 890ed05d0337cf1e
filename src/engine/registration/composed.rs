//! Letters with a mark on them, as one character: what Unicode calls NFC.
//!
//! `ü` can be written as one character or as `u` and a mark. They look alike, keyboards type the one, and
//! file names of a Mac come as the other. Here are the letters of Latin (with those of Vietnam), Greek and
//! Cyrillic; a library has those of all the world, in 70 KiB. What is not here stays as it came.

/// For each mark the letters that it goes on: each letter alone, then with the mark.
const COMPOSED: [(char, &str); 17] = [
    ('\u{300}', "AÀEÈIÌOÒUÙYỲaàeèiìoòuùyỳÂẦÊỀÔỒâầêềôồĂẰăằƠỜơờƯỪưừЕЀИЍеѐиѝ"),
    (
        '\u{301}',
        "AÁCĆEÉIÍLĹNŃOÓRŔSŚUÚYÝZŹaácćeéiílĺnńoórŕsśuúyýzźÂẤÊẾÔỐâấêếôốĂẮăắƠỚơớƯỨưứΑΆΕΈ\
         ΗΉΙΊΟΌΥΎΩΏαάεέηήιίοόυύωώϊΐϋΰГЃКЌгѓкќ",
    ),
    ('\u{302}', "AÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶaâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷẠẬạậẸỆẹệỌỘọộ"),
    ('\u{303}', "AÃEẼIĨNÑOÕUŨYỸaãeẽiĩnñoõuũyỹÂẪÊỄÔỖâẫêễôỗĂẴăẵƠỠơỡƯỮưữ"),
    ('\u{304}', "AĀEĒIĪOŌUŪaāeēiīoōuū"),
    ('\u{306}', "AĂEĔGĞIĬOŎUŬaăeĕgğiĭoŏuŭИЙУЎийуўẠẶạặ"),
    ('\u{307}', "CĊEĖGĠIİZŻcċeėgġzż"),
    ('\u{308}', "AÄEËIÏOÖUÜYŸaäeëiïoöuüyÿΙΪΥΫιϊυϋІЇЕЁеёії"),
    ('\u{309}', "AẢEẺIỈOỎUỦYỶaảeẻiỉoỏuủyỷÂẨÊỂÔỔâẩêểôổĂẲăẳƠỞơởƯỬưử"),
    ('\u{30a}', "AÅUŮaåuů"),
    ('\u{30b}', "OŐUŰoőuű"),
    ('\u{30c}', "CČDĎEĚLĽNŇRŘSŠTŤZŽcčdďeělľnňrřsštťzž"),
    ('\u{31b}', "OƠUƯoơuư"),
    ('\u{323}', "AẠEẸIỊOỌUỤYỴaạeẹiịoọuụyỵƠỢơợƯỰưự"),
    ('\u{326}', "SȘTȚsștț"),
    ('\u{327}', "CÇGĢKĶLĻNŅRŖSŞTŢcçgģkķlļnņrŗsştţ"),
    ('\u{328}', "AĄEĘIĮUŲaąeęiįuų"),
];

/// The same text with each letter and its mark as one character, where there is such a one.
pub(super) fn compose(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    for c in text.chars() {
        match whole.chars().next_back().and_then(|letter| with_mark(letter, c)) {
            Some(both) => {
                whole.pop();
                whole.push(both);
            }
            None => whole.push(c),
        }
    }
    whole
}

fn with_mark(letter: char, mark: char) -> Option<char> {
    let (_, pairs) = COMPOSED.iter().find(|(one, _)| *one == mark)?;
    let mut pairs = pairs.chars();
    while let (Some(plain), Some(both)) = (pairs.next(), pairs.next()) {
        if plain == letter {
            return Some(both);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_and_its_mark_become_one() {
        for (two, one) in [
            ("Ku\u{308}che", "K\u{fc}che"),
            ("Garac\u{327}on", "Gara\u{e7}on"),
            ("S\u{30c}kola", "\u{160}kola"),
            ("Ba\u{323}\u{302}c", "B\u{1ead}c"),
            ("Be\u{302}\u{301}p", "B\u{1ebf}p"),
            ("\u{438}\u{306}\u{435}\u{308}", "\u{439}\u{451}"),
            ("\u{3b1}\u{301}", "\u{3ac}"),
            ("u\u{308}u\u{308}", "\u{fc}\u{fc}"),
        ] {
            assert_eq!(compose(two), one);
            assert_eq!(compose(one), one, "what is one stays one");
        }
    }

    #[test]
    fn a_mark_that_makes_no_letter_stays() {
        for text in [
            "",
            "\u{308}u",
            "x\u{308}",
            "\u{e7}\u{308}",
            "u \u{308}",
            "\u{1100}\u{1161}",
            "a\u{5b0}",
        ] {
            assert_eq!(compose(text), text);
        }
    }

    #[test]
    fn every_letter_stands_in_a_pair_and_once() {
        for (mark, pairs) in COMPOSED {
            let letters: Vec<char> = pairs.chars().collect();
            assert_eq!(letters.len() % 2, 0, "{mark:?}");
            let plain: std::collections::BTreeSet<&char> = letters.iter().step_by(2).collect();
            assert_eq!(plain.len() * 2, letters.len(), "{mark:?}");
        }
    }
}
