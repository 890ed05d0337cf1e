// Two minutes of the sketch's life, in no time.
#include "Network.h"

Print Serial;
WiFiClass WiFi;
MDNSResponder MDNS;

static unsigned long now = 0;
unsigned long millis() { return now; }
void delay(unsigned long ms) { now += ms; }

int main() {
  setup();
  while (now < 120000) {
    loop();
    delay(1000);
  }
}
