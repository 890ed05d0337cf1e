// Wi-Fi, mDNS, HTTP client and server of both boards, as the sketch sees them.
#pragma once
#include "Arduino.h"

enum wl_status_t { WL_IDLE_STATUS = 0, WL_CONNECTED = 3 };

class WiFiClass {
public:
  void begin(const char *, const char *) {}
  wl_status_t status() { return WL_CONNECTED; }
  IPAddress localIP() { return IPAddress(); }
};
extern WiFiClass WiFi;

class WiFiClient {};

// A printer first, then the server.
class MDNSResponder {
public:
  bool begin(const char *) { return true; }
  int queryService(const char *, const char *) { return 2; }
  String hostname(int at) { return at == 1 ? "pi-healthchecker.local" : "printer.local"; }
  uint16_t port(int at) { return at == 1 ? std::atoi(std::getenv("SERVER_PORT")) : 631; }
#if defined(ESP_ARDUINO_VERSION_MAJOR) && ESP_ARDUINO_VERSION_MAJOR >= 3
  IPAddress address(int) { return IPAddress("127.0.0.1"); }
#else
  IPAddress IP(int) { return IPAddress("127.0.0.1"); }
#endif
#if defined(ESP8266)
  bool update() { return true; }
#endif
};
extern MDNSResponder MDNS;

// Prints each request as `METHOD PATH BODY`, and says 200.
class HTTPClient {
public:
  bool begin(WiFiClient &, String url) {
    std::string text = url.c_str();
    path = text.substr(text.find('/', sizeof "http://" - 1));
    return true;
  }
  void addHeader(const String &, const String &) {}
  int sendRequest(const char *method, String body) {
    std::printf("%s %s %s\n", method, path.c_str(), body.c_str());
    return 200;
  }
  String getString() { return ""; }
  void end() {}

private:
  std::string path;
};

template <int> class AnyWebServer {
public:
  explicit AnyWebServer(int) {}
  void on(const char *path, std::function<void()> answer) {
    if (std::string(path) == "/health") {
      health = answer;
    }
  }
  void begin() {}
  void handleClient() { health(); }
  void sendHeader(const String &, const String &) {}
  void send(int code, const char *type, const String &body) {
    if (code != 200 || std::string(type) != "application/health+json" || body[0] != '{') {
      std::abort();
    }
  }

private:
  std::function<void()> health;
};
#if defined(ESP8266)
using ESP8266WebServer = AnyWebServer<8266>;
#else
using WebServer = AnyWebServer<32>;
#endif
