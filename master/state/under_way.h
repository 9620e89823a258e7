// How many submissions are on their way to the core, by queue: the view does not show their tasks yet. Pure; not thread-safe.
#ifndef DROVER_MASTER_STATE_UNDER_WAY_H_
#define DROVER_MASTER_STATE_UNDER_WAY_H_

#include <cstddef>
#include <map>
#include <string>

namespace drover::master::state {

class UnderWay {
 public:
  void Begin(const std::string& queue) {
    ++of_[queue];
    ++all_;
  }
  // Once for each Begin.
  void End(const std::string& queue) {
    const auto it = of_.find(queue);
    if (--it->second == 0) of_.erase(it);
    --all_;
  }

  [[nodiscard]] std::size_t Of(const std::string& queue) const {
    const auto it = of_.find(queue);
    return it == of_.end() ? 0 : it->second;
  }
  [[nodiscard]] std::size_t all() const { return all_; }

 private:
  std::map<std::string, std::size_t> of_;
  std::size_t all_ = 0;
};

}  // namespace drover::master::state

#endif  // DROVER_MASTER_STATE_UNDER_WAY_H_
