// Wi-Fi, mDNS, HTTP client and server of both boards, as the sketch sees them.
#pragma once
#include "Arduino.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

// The ports of the servers that are announced at this moment.
extern std::vector<int> announced;

enum wl_status_t { WL_IDLE_STATUS = 0, WL_CONNECTED = 3 };

class WiFiClass {
public:
  void begin(const char *, const char *) {}
  wl_status_t status() { return WL_CONNECTED; }
  IPAddress localIP() { return IPAddress(); }
};
extern WiFiClass WiFi;

class WiFiClient {};

// A printer first, then the servers.
class MDNSResponder {
public:
  bool begin(const char *) { return true; }
  int queryService(const char *, const char *) { return 1 + announced.size(); }
  String hostname(int at) { return at > 0 ? "pi-healthchecker.local" : "printer.local"; }
  uint16_t port(int at) { return at > 0 ? announced.at(at - 1) : 631; }
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

// Asks 127.0.0.1 alone, and prints each request as `METHOD PORT PATH`, and `token` if it has one.
class HTTPClient {
public:
  bool begin(WiFiClient &, String url) {
    std::string text = url.c_str();
    std::string host = "http://127.0.0.1:";
    if (text.compare(0, host.size(), host) != 0) {
      return false;
    }
    size_t slash = text.find('/', host.size());
    port = std::atoi(text.substr(host.size(), slash - host.size()).c_str());
    path = text.substr(slash);
    return true;
  }
  void addHeader(const String &name, const String &value) {
    headers += std::string(name.c_str()) + ": " + value.c_str() + "\r\n";
  }
  int sendRequest(const char *method, String body) {
    bool has_token = headers.find("Authorization: ") != std::string::npos;
    std::printf("%s %d %s%s\n", method, port, path.c_str(), has_token ? " token" : "");
    std::string length = std::to_string(body.length());
    received = exchange(std::string(method) + " " + path + " HTTP/1.0\r\nHost: 127.0.0.1\r\n" + headers +
                        "Content-Length: " + length + "\r\n\r\n" + body.c_str());
    size_t blank = received.find(' ');
    return blank == std::string::npos ? -1 : std::atoi(received.c_str() + blank);
  }
  String getString() {
    size_t body = received.find("\r\n\r\n");
    return body == std::string::npos ? "" : received.substr(body + 4).c_str();
  }
  void end() {}

private:
  // What comes back until the other side closes; empty without a connection.
  std::string exchange(const std::string &request) {
    sockaddr_in there = {};
    there.sin_family = AF_INET;
    there.sin_port = htons(port);
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    timeval limit = {10, 0};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::string answer;
    if (connect(socket, reinterpret_cast<sockaddr *>(&there), sizeof there) == 0 &&
        send(socket, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      char piece[1024];
      for (ssize_t n; (n = recv(socket, piece, sizeof piece, 0)) > 0;) {
        answer.append(piece, n);
      }
    }
    close(socket);
    return answer;
  }

  int port = 0;
  std::string path, headers, received;
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
