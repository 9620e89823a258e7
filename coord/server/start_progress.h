// How far a node is that reads its data directory when it starts: first its snapshot, then the log behind it.
#ifndef DROVER_COORD_SERVER_START_PROGRESS_H_
#define DROVER_COORD_SERVER_START_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <utility>

namespace drover::coord::server {

enum class StartPhase : std::uint8_t { kSnapshot, kLog };

struct StartProgress {
  StartPhase phase = StartPhase::kSnapshot;
  std::uint8_t percent = 0;

  friend bool operator==(const StartProgress&, const StartProgress&) = default;
};

// Tells each hundredth of one phase once; those that nothing was between are left out. `tell` may be empty.
class StartMeter {
 public:
  using Tell = std::function<void(const StartProgress&)>;

  StartMeter(StartPhase phase, std::uint64_t total, Tell tell) : phase_(phase), total_(total), tell_(std::move(tell)) {}

  // `done` of the total, which may be 0; never less than before.
  void At(std::uint64_t done) {
    const std::uint64_t percent = done >= total_ ? 100 : done * 100 / total_;
    if (told_ && percent == percent_) return;
    told_ = true;
    percent_ = percent;
    if (tell_) tell_({phase_, static_cast<std::uint8_t>(percent)});
  }

 private:
  const StartPhase phase_;
  const std::uint64_t total_;
  const Tell tell_;
  bool told_ = false;
  std::uint64_t percent_ = 0;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_START_PROGRESS_H_
