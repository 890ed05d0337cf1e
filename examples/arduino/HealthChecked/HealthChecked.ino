// An ESP8266 or ESP32 that registers with HealthChecker and answers its health checks.
// Finds the server by Zeroconf, and registers again when the server has forgotten it.

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
// The api_token of the server, if it has one.
const char *API_TOKEN = "";

// A minute: as soon as the server is back, but no burden for it.
const unsigned long LOOK_EVERY_MS = 60000;

String server; // http://ADDRESS:PORT, empty while it is not known
bool registered = false;
unsigned long looked_at = 0;

IPAddress addressOf(int found) {
#if defined(ESP_ARDUINO_VERSION_MAJOR) && ESP_ARDUINO_VERSION_MAJOR >= 3
  return MDNS.address(found);
#else
  return MDNS.IP(found);
#endif
}

// The server's host is called after its machine: raspberrypi-healthchecker.local
String findServer() {
  int count = MDNS.queryService("http", "tcp");
  for (int i = 0; i < count; i++) {
    if (MDNS.hostname(i).indexOf("healthchecker") >= 0) {
      return "http://" + addressOf(i).toString() + ":" + String(MDNS.port(i));
    }
  }
  return "";
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

// One call to the server: the HTTP status, or less than 0 when there is no answer.
int call(const char *method, const String &what, const String &form) {
  WiFiClient client;
  HTTPClient http;
  if (!http.begin(client, server + "/healthchecker/" + what)) {
    return -1;
  }
  http.addHeader("Content-Type", "application/x-www-form-urlencoded");
  if (API_TOKEN[0] != 0) {
    http.addHeader("Authorization", String("Bearer ") + API_TOKEN);
  }
  int status = http.sendRequest(method, form);
  if (status != 200) {
    Serial.println(what + ": " + String(status) + " " + http.getString());
  }
  http.end();
  return status;
}

void keepRegistered() {
  if (server.length() == 0) {
    server = findServer();
  }
  if (server.length() == 0) {
    Serial.println("no HealthChecker server was found on this network");
    return;
  }
  String name = "appname=" + encoded(APP_NAME);
  int status;
  if (registered) {
    status = call("GET", "info?" + name, "");
    registered = status != 404;
  }
  if (!registered) {
    String url = "http://" + WiFi.localIP().toString();
    status = call("POST", "monitor", name + "&url=" + encoded(url) + "&interval=60");
    registered = status == 200;
  }
  if (status < 0) {
    server = ""; // it may have moved
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
