//! The kinds of devices and programs. To add one: its service type (`avahi-browse -a` shows it), what people call
//! it, and what tells its health without changing anything. Each row names where that is written.

use super::Asks::{Connect, ConnectAt, Echo, Page, PageAt, SecurePage};
use super::{Asks, Preset};

/// Whoever answers a page at all, be it with a login or with "not here", runs.
const ANY_ANSWER: &str = "200-499";

const fn row(service: &'static str, kind: &'static str, asks: Asks) -> Preset {
    Preset { service, named: "", kind, asks }
}

const fn named(
    service: &'static str,
    named: &'static str,
    kind: &'static str,
    asks: Asks,
) -> Preset {
    Preset { service, named, kind, asks }
}

/// Every kind. "IANA" is its registry of service names, which names the protocol and its document.
pub static PRESETS: [Preset; 49] = [
    // Home automation.
    // home-assistant.io, integration "zeroconf"; its front end, without a login, has a manifest.
    row("_home-assistant._tcp", "Home Assistant", Page("/manifest.json", "200")),
    // esphome.io, "Native API Component": a connection is greeted, nothing is asked.
    row("_esphomelib._tcp", "ESPHome device", Connect),
    // shelly-api-docs.shelly.cloud, "Shelly.GetDeviceInfo" and /shelly: identifies the device without a login.
    row("_shelly._tcp", "Shelly", Page("/shelly", "200")),
    named("_http._tcp", "shelly", "Shelly", Page("/shelly", "200")),
    // tasmota.github.io, "Web UI".
    named("_http._tcp", "tasmota", "Tasmota", Page("/", ANY_ANSWER)),
    // kno.wled.ge, "JSON API".
    row("_wled._tcp", "WLED light", Page("/json/info", "200")),
    // developers.meethue.com, "Configuration API": /api/0/config is open.
    row("_hue._tcp", "Hue bridge", SecurePage("/api/0/config", "200")),
    // Elgato key lights, known from the open source controllers; the page shows the light's state.
    row("_elg._tcp", "Elgato light", Page("/elgato/lights", "200")),
    // HomeKit Accessory Protocol, section "IP transport".
    row("_hap._tcp", "HomeKit device", Connect),
    // api-documentation.homewizard.com, "Discovery" and "Basic information"; 403 while the owner has not opened the API.
    row("_hwenergy._tcp", "HomeWizard meter", Page("/api", ANY_ANSWER)),
    // forum.nanoleaf.me, "Nanoleaf API": without a token it answers nobody, but accepts.
    row("_nanoleafapi._tcp", "Nanoleaf light", Connect),
    // mqtt.org, IANA.
    row("_mqtt._tcp", "MQTT broker", Connect),
    // openhab.org, "REST API": its page is open.
    row("_openhab-server._tcp", "openHAB", Page("/", ANY_ANSWER)),
    // Media.
    // kodi.wiki, "JSON-RPC API": its web server, with a login or without.
    row("_xbmc-jsonrpc-h._tcp", "Kodi", Page("/", ANY_ANSWER)),
    // developers.google.com/cast, "Discovery"; TLS on this port.
    row("_googlecast._tcp", "Chromecast", Connect),
    // support.plex.tv, /identity needs no token.
    row("_plexmediasvr._tcp", "Plex", Page("/identity", "200")),
    // jellyfin.org, "Monitoring": /health. It announces a web page of its name.
    named("_http._tcp", "jellyfin", "Jellyfin", Page("/health", "200")),
    // docs.sonos.com, "Discover"; the player's own description is at port 1400.
    row("_sonos._tcp", "Sonos", PageAt(1400, "/xml/device_description.xml", "200")),
    // developer.spotify.com, "Zeroconf API".
    row("_spotify-connect._tcp", "Spotify player", Connect),
    // Bonjour, Apple's list of service types, and IANA.
    row("_airplay._tcp", "AirPlay device", Connect),
    row("_raop._tcp", "AirPlay speaker", Connect),
    row("_daap._tcp", "Music library", Connect),
    // Android TV remote service, version 2.
    row("_androidtvremote2._tcp", "Android TV", Connect),
    // musicpd.org, "The Music Player Daemon protocol": it greets, nothing is asked.
    row("_mpd._tcp", "Music player (MPD)", Connect),
    // NVIDIA GameStream and Sunshine.
    row("_nvstream._tcp", "Game stream host", Connect),
    // github.com/badaix/snapcast, "Configuration": the port of the players.
    row("_snapcast._tcp", "Snapcast server", Connect),
    // Printers and scanners. Never the raw port: what is sent there is printed.
    // RFC 8011, and "Bonjour Printing Specification".
    row("_ipp._tcp", "Printer", Connect),
    row("_ipps._tcp", "Printer (IPPS)", Connect),
    row("_pdl-datastream._tcp", "Printer (raw)", ConnectAt(631)),
    // mopria.org, "eSCL Technical Specification": the status changes nothing.
    row("_uscan._tcp", "Scanner", Page("/eSCL/ScannerStatus", ANY_ANSWER)),
    // docs.octoprint.org: without a key its page sends one to the login.
    row("_octoprint._tcp", "OctoPrint", Page("/", "200-399,401,403")),
    // Files. IANA for all.
    row("_smb._tcp", "Windows share (SMB)", Connect),
    row("_afpovertcp._tcp", "Apple share (AFP)", Connect),
    row("_nfs._tcp", "NFS share", Connect),
    row("_ftp._tcp", "FTP server", Connect),
    // Apple's "Time Machine Network Interface Specification": what it announces is no port, SMB is.
    row("_adisk._tcp", "NAS (Time Machine)", ConnectAt(445)),
    // QNAP, Qfinder: the port is that of its web page.
    row("_qdiscover._tcp", "NAS (QNAP)", Page("/", ANY_ANSWER)),
    // docs.syncthing.net, "Health endpoint": needs no key. It announces nothing by itself, but its packages for a NAS do.
    named("_http._tcp", "syncthing", "Syncthing", Page("/rest/noauth/health", "200")),
    row("_webdav._tcp", "WebDAV share", Page("/", ANY_ANSWER)),
    // Machines.
    row("_ssh._tcp", "SSH", Connect),
    // avahi-daemon.conf(5), "publish-workstation": the machine itself, at the port that throws all away.
    row("_workstation._tcp", "Computer", Echo),
    row("_sftp-ssh._tcp", "SFTP", Connect),
    row("_rfb._tcp", "Screen (VNC)", Connect),
    row("_axis-video._tcp", "Camera", Page("/", ANY_ANSWER)),
    // networkupstools.org, "Network protocol information": it waits for a question.
    row("_nut._tcp", "UPS (NUT)", Connect),
    // dev.freebox.fr, "Freebox OS API": the version needs no login.
    row("_fbx-api._tcp", "Router (Freebox)", Page("/api_version", "200")),
    // docs.pi-hole.net: its web page; the name is that of the machine.
    named("_http._tcp", "pi-hole", "Pi-hole", Page("/admin/", ANY_ANSWER)),
    // All else that has a page, routers among them.
    row("_http._tcp", "Web page", Page("/", ANY_ANSWER)),
    row("_https._tcp", "Web page (HTTPS)", SecurePage("/", ANY_ANSWER)),
];
