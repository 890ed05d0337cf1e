// An ESP8266 or ESP32 that registers with HealthChecker and answers its health checks.
// Finds the server by Zeroconf, again when it has moved, and registers again when it has forgotten us.

#if defined(ESP8266)
#include <ESP8266HTTPClient.h>
#include <ESP8266WebServer.h>
#include <ESP8266WiFi.h>
#include <ESP8266mDNS.h>
ESP8266WebServer web(80);
#else
#include <ESPmDNS.h>
#include <HTTPClient.h>
#include <WebServer.h>
#include <WiFi.h>
WebServer web(80);
#endif

const char *WIFI_NAME = "my network";
const char *WIFI_PASSWORD = "my password";
const char *APP_NAME = "Weather station";
// http://ADDRESS:PORT of the server; empty: it is searched for.
const char *SERVER = "";
// The api_token of the server, if it has one. It is sent only to SERVER: anybody can announce a name.
const char *API_TOKEN = "";

// A minute: as soon as the server is back, but no burden for it.
const unsigned long LOOK_EVERY_MS = 60000;

// Nobody answered, or somebody who is no HealthChecker.
const int NOBODY = -1;

String server = SERVER; // empty while it is not known
bool registered = false;
unsigned long looked_at = 0;

IPAddress addressOf(int found) {
#if defined(ESP_ARDUINO_VERSION_MAJOR) && ESP_ARDUINO_VERSION_MAJOR >= 3
  return MDNS.address(found);
#else
  return MDNS.IP(found);
#endif
}

// Every byte as %XX.
String encoded(const String &text) {
  const char *digits = "0123456789ABCDEF";
  String out;
  for (unsigned int i = 0; i < text.length(); i++) {
    unsigned char c = text[i];
    out += '%';
    out += digits[c >> 4];
    out += digits[c & 15];
  }
  return out;
}

// One call to the server: the HTTP status, or NOBODY. Many a box answers 200 to everything: `member` is
// what a server says to this call.
int call(const char *method, const String &what, const String &form, const char *member) {
  WiFiClient client;
  HTTPClient http;
  if (!http.begin(client, server + "/healthchecker/" + what)) {
    return NOBODY;
  }
  http.addHeader("Content-Type", "application/x-www-form-urlencoded");
  if (API_TOKEN[0] != 0 && SERVER[0] != 0) {
    http.addHeader("Authorization", String("Bearer ") + API_TOKEN);
  }
  int status = http.sendRequest(method, form);
  String said = status > 0 ? http.getString() : String("");
  http.end();
  if (status != 200) {
    Serial.println(server + " " + String(status) + " " + said);
    member = "\"error\"";
  }
  return said.indexOf(member) >= 0 ? status : NOBODY;
}

// Looks whether the server still knows us, and registers if not. Whether a server answered.
bool registerThere() {
  String name = "appname=" + encoded(APP_NAME);
  if (registered) {
    int status = call("GET", "info?" + name, "", "\"appname\"");
    if (status == NOBODY) {
      return false;
    }
    // Forgotten, or it does not say: to register again changes nothing then.
    registered = status != 404 && status != 401 && status != 403;
  }
  if (!registered) {
    // The port alone: we are at the address that this call comes from.
    int status = call("POST", "monitor", name + "&url=%3A80&interval=60", "\"result\"");
    registered = status == 200;
    return status != NOBODY;
  }
  return true;
}

// Tries every server that is announced, whose hosts are called after their machines:
// raspberrypi-healthchecker.local
void findServer() {
  int count = MDNS.queryService("http", "tcp");
  for (int i = 0; i < count; i++) {
    if (MDNS.hostname(i).indexOf("healthchecker") >= 0) {
      server = "http://" + addressOf(i).toString() + ":" + String(MDNS.port(i));
      if (registerThere()) {
        return;
      }
    }
  }
  server = "";
  Serial.println("no HealthChecker server was found on this network");
}

void keepRegistered() {
  bool answered = server.length() > 0 && registerThere();
  // It may have moved, and a stranger may be where it was.
  if (!answered && SERVER[0] == 0) {
    findServer();
  }
}

void answerHealth() {
  String body = String("{\"status\":\"pass\",\"description\":\"") + APP_NAME +
                "\",\"checks\":{\"uptime\":[{\"observedValue\":" + String(millis() / 1000) +
                ",\"observedUnit\":\"s\"}]}}";
  web.sendHeader("Cache-Control", "no-store");
  web.send(200, "application/health+json", body);
}

void setup() {
  Serial.begin(115200);
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  while (WiFi.status() != WL_CONNECTED) {
    delay(500);
  }
  MDNS.begin("weather-station");
  web.on("/health", answerHealth);
  web.begin();
  keepRegistered();
  looked_at = millis();
}

void loop() {
  web.handleClient();
#if defined(ESP8266)
  MDNS.update();
#endif
  if (millis() - looked_at >= LOOK_EVERY_MS) {
    keepRegistered();
    looked_at = millis();
  }
}
