// The way of a rival's reports to the resource server. It outlives every session of the rival: what was decided while something was
// held is written later, whatever has been lost meanwhile. So a pause or a cut always finds a write between decision and deed.
//
// Threads: all on the loop. A process whose server is gone is of no more use and ends.
#ifndef DROVER_TESTS_RIVALS_COURIER_H_
#define DROVER_TESTS_RIVALS_COURIER_H_

#include <map>
#include <string>

#include "coord/base/loop.h"
#include "coord/base/random.h"
#include "tests/rivals/report.h"

namespace drover::rivals {

// A rival looks at what it holds once in at most this time.
inline constexpr base::Duration kTickMin = std::chrono::milliseconds(20);
inline constexpr base::Duration kTickMax = std::chrono::milliseconds(120);

class Courier {
 public:
  // Connects to the resource server on this port of the loopback, and says who it is.
  Courier(base::Loop* loop, base::Random* random, int port, const std::string& name);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  // Now.
  void Say(const Report& report);
  // Now, perhaps, and once more after longer than a tick: who decides to use what it holds at every tick always has a write under
  // way.
  void Write(const Use& use);
  // Nothing that was decided is still to be written.
  [[nodiscard]] bool Quiet(const std::string& resource) const { return under_way_.count(resource) == 0; }

 private:
  base::Loop* const loop_;
  base::Random* const random_;
  int fd_ = -1;
  std::map<std::string, int> under_way_;  // by resource
};

}  // namespace drover::rivals

#endif  // DROVER_TESTS_RIVALS_COURIER_H_
