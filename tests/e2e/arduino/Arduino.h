// As much of the cores for ESP8266 and ESP32 as the example sketch uses, with their signatures
// (esp8266/Arduino 3, espressif/arduino-esp32 2 and 3), so that it can be compiled and run here.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

class String {
public:
  String(const char *text = "") : text(text) {}
  explicit String(int number) : text(std::to_string(number)) {}
  explicit String(unsigned int number) : text(std::to_string(number)) {}
  explicit String(unsigned long number) : text(std::to_string(number)) {}
  unsigned int length() const { return text.size(); }
  const char *c_str() const { return text.c_str(); }
  char operator[](unsigned int at) const { return text[at]; }
  int indexOf(const char *part) const {
    size_t at = text.find(part);
    return at == std::string::npos ? -1 : static_cast<int>(at);
  }
  String &operator+=(char c) {
    text += c;
    return *this;
  }
  friend String operator+(const String &a, const String &b) { return String((a.text + b.text).c_str()); }

private:
  std::string text;
};

class IPAddress {
public:
  IPAddress(const char *text = "192.0.2.9") : text(text) {}
  String toString() const { return text; }

private:
  const char *text;
};

class Print {
public:
  void begin(unsigned long) {}
  void println(const String &line) { std::fprintf(stderr, "%s\n", line.c_str()); }
};

// Deep sleep ends with a reset; here it only says for how many seconds.
inline void esp_deep_sleep(uint64_t us) { std::printf("sleeps %u s\n", static_cast<unsigned>(us / 1000000)); }
class EspClass {
public:
  void deepSleep(uint64_t us) { esp_deep_sleep(us); }
};
inline EspClass ESP;

extern Print Serial;
unsigned long millis();
void delay(unsigned long ms);
void setup();
void loop();
