// The sketch's life, in no time: each line of standard input has the ports of the servers that are
// announced, and lets it live for a minute, which ends with a line `minute`.
#include "Network.h"
#include <iostream>
#include <sstream>

Print Serial;
WiFiClass WiFi;
MDNSResponder MDNS;
std::vector<int> announced;

static unsigned long now = 0;
unsigned long millis() { return now; }
void delay(unsigned long ms) { now += ms; }

int main() {
  std::string line;
  for (bool begun = false; std::getline(std::cin, line); begun = true) {
    announced.clear();
    std::istringstream ports(line);
    for (int port; ports >> port;) {
      announced.push_back(port);
    }
    if (!begun) {
      setup();
    } else {
      // The look comes within this time, and only once.
      for (unsigned long end = now + 60000; now < end;) {
        delay(1000);
        loop();
      }
    }
    std::printf("minute\n");
    std::fflush(stdout);
  }
}
