//! Which app a name means, also where it is on record from before names had to be tidy.

use healthchecker::engine::registry::RegistryError;

use super::world::World;

#[test]
fn blanks_around_and_between_make_no_other_app() {
    let mut world = World::new();
    assert_eq!(world.engine.name_for(" My\u{a0} NAS ").unwrap(), "My NAS");
    world.register("My NAS", &[("url", "http://nas")]);
    for given in ["My NAS", " My NAS", "My  NAS ", "My\u{2003}NAS"] {
        assert_eq!(world.engine.on_record(given).unwrap(), "My NAS");
        assert_eq!(world.engine.name_for(given).unwrap(), "My NAS");
    }
    assert!(matches!(world.engine.on_record("MyNAS"), Err(RegistryError::UnknownApp(_))));
}

#[test]
fn a_letter_and_its_mark_mean_the_same_app_as_the_letter_with_it() {
    let mut world = World::new();
    let (one, two) = ("K\u{fc}che", "Ku\u{308}che");
    world.register(one, &[("url", "http://nas")]);
    assert_eq!(world.engine.on_record(two).unwrap(), one);
    // As an older daemon let it in.
    world.register(two, &[("url", "http://nas")]);
    assert_eq!(world.engine.on_record(two).unwrap(), two);
    assert_eq!(world.engine.on_record(one).unwrap(), one);
}

#[test]
fn a_new_name_must_be_seen_and_one_on_record_goes_on() {
    let mut world = World::new();
    let old = [" NAS", "NA\u{ad}S", "NAS\u{3164}"];
    for name in old {
        assert_eq!(world.engine.name_for(name).is_ok(), name == " NAS", "{name:?}");
        // As an older daemon let it in.
        world.register(name, &[("url", "http://nas")]);
    }
    world.restart();
    for name in old {
        assert_eq!(world.engine.on_record(name).unwrap(), name);
        assert_eq!(world.engine.name_for(name).unwrap(), name, "it registers again");
        world.pause(name);
        world.resume(name);
        world.stop(name);
        assert!(matches!(world.engine.on_record(name), Err(RegistryError::UnknownApp(_))));
    }
    assert!(matches!(world.engine.name_for("NA\u{ad}S"), Err(RegistryError::BadName(_))));
}
