// A sensor on batteries (ESP8266 or ESP32) that sleeps: it cannot be asked how it is, so it reports each time it
// wakes. HealthChecker tells when it does not: the battery is empty, the Wi-Fi has another password.
//
// Registered once, with the interval a little longer than it sleeps:
//
//     curl -d appname=Greenhouse -d kind=beat -d interval=1000 http://192.168.1.5:8080/healthchecker/monitor
//
// To wake an ESP8266 by itself, its pin GPIO16 (D0) is wired to RST.

#if defined(ESP8266)
#include <ESP8266HTTPClient.h>
#include <ESP8266WiFi.h>
#else
#include <HTTPClient.h>
#include <WiFi.h>
#endif

const char *const WIFI_NAME = "my network";
const char *const WIFI_PASSWORD = "my password";
// http://ADDRESS:PORT: looking for it each time would cost the battery more than the report.
const char *const SERVER = "";
// As in a form: a blank is %20.
const char *const APP_NAME = "Greenhouse";
// What the registration answered as `key`, where the server has an api_token.
const char *const KEY = "";

const unsigned long SLEEP_S = 900;
// Without Wi-Fi it sleeps on: to go on trying would empty the battery.
const unsigned long WIFI_WITHIN_MS = 20000;

void report() {
  String path = String("/healthchecker/beat?appname=") + APP_NAME;
  if (KEY[0] != 0) {
    path = path + "&key=" + KEY;
  }
  WiFiClient client;
  HTTPClient http;
  http.begin(client, String(SERVER) + path);
  int status = http.sendRequest("GET", String(""));
  Serial.println(status == 200 ? String("reported") : String("not reported: ") + String(status));
  http.end();
}

void sleepOn() {
#if defined(ESP8266)
  ESP.deepSleep(SLEEP_S * 1000000ULL);
#else
  esp_deep_sleep(SLEEP_S * 1000000ULL);
#endif
}

// Deep sleep ends with a reset: each time it begins here.
void setup() {
  Serial.begin(115200);
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  while (WiFi.status() != WL_CONNECTED && millis() < WIFI_WITHIN_MS) {
    delay(100);
  }
  if (WiFi.status() == WL_CONNECTED) {
    report();
  }
  sleepOn();
}

void loop() {}
