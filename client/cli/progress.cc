#include "client/cli/progress.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace drover::cli {
namespace {

constexpr std::size_t kBar = 20;
constexpr char kClearLine[] = "\r\x1b[K";

}  // namespace

std::string Progress::Text() const {
  std::size_t ended = 0;
  std::vector<std::string> over, open;
  for (const client::State state :
       {client::State::kSucceeded, client::State::kFailed, client::State::kCancelled, client::State::kLost, client::State::kRunning,
        client::State::kAssigned, client::State::kReady, client::State::kWaiting}) {
    const auto found = counts_.find(state);
    if (found == counts_.end() || found->second == 0) continue;
    const bool terminal = client::IsTerminal(state);
    if (terminal) ended += found->second;
    (terminal ? over : open).push_back(absl::StrCat(found->second, " ", client::StateName(state)));
  }
  const std::size_t full = total_ == 0 ? kBar : kBar * std::min(ended, total_) / total_;
  std::string text =
      absl::StrCat("[", std::string(full, '#'), std::string(kBar - full, '.'), "]  ", ended, " of ", total_, " ended");
  if (!over.empty()) absl::StrAppend(&text, ": ", absl::StrJoin(over, ", "));
  if (!open.empty()) absl::StrAppend(&text, "; ", absl::StrJoin(open, ", "));
  return text;
}

void Progress::Count(const client::Task& task, int sign) {
  const auto by = [sign](std::size_t count) { return static_cast<std::size_t>(sign) * count; };
  if (!task.array.has_value()) {
    counts_[task.state] += by(1);
    return;
  }
  const client::ArrayProgress& array = *task.array;
  total_ += by(array.elements - 1);
  counts_[client::State::kWaiting] += by(array.waiting);
  counts_[client::State::kRunning] += by(array.under_way);
  counts_[client::State::kSucceeded] += by(array.succeeded);
  counts_[client::State::kFailed] += by(array.failed);
  counts_[client::State::kCancelled] += by(array.cancelled);
  counts_[client::State::kLost] += by(array.lost);
}

void Progress::OnTask(const std::optional<client::Task>& before, const client::Task& now) {
  if (before.has_value()) Count(*before, -1);
  Count(now, 1);
  stale_ = true;
  const auto pause = options_.terminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(1'000);
  if (options_.now() - shown_at_ >= pause) Show();
}

void Progress::Show() {
  shown_at_ = options_.now();
  stale_ = false;
  shown_ = options_.terminal;
  options_.write(options_.terminal ? absl::StrCat(kClearLine, Text()) : absl::StrCat(Text(), "\n"));
}

void Progress::Hide() {
  if (!shown_) return;
  options_.write(kClearLine);
  shown_ = false;
  stale_ = true;
}

void Progress::Finish() {
  if (stale_) Show();
  if (shown_) options_.write("\n");
  shown_ = false;
}

}  // namespace drover::cli
