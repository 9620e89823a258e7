#include "master/pool/outage_log.h"

#include <utility>

#include "absl/strings/str_join.h"

namespace drover::pool {

OutageLog::OutageLog(base::Loop* loop, process::Logger log, const std::vector<std::string>& nodes,
                     std::function<coord::Session*()> session, OutageLogOptions options)
    : loop_(loop),
      log_(std::move(log)),
      nodes_(absl::StrJoin(nodes, ",")),
      session_(std::move(session)),
      options_(options),
      timer_(loop) {}

void OutageLog::Opened() {
  if (!since_) since_ = loop_->Now();
  // What was said of the former session goes on.
  if (!told_) timer_.Set(options_.look_interval, [this] { Look(); });
}

void OutageLog::Lost(const absl::Status& why) {
  if (!since_) since_ = loop_->Now();
  Warn(why);
}

void OutageLog::Connected() {
  timer_.Cancel();
  if (told_ && since_) log_.Info("the core is reached again", {{"after_ms", base::ToMillis(loop_->Now() - *since_)}});
  told_ = false;
  since_.reset();
}

void OutageLog::Stop() {
  timer_.Cancel();
}

void OutageLog::Look() {
  const coord::Session* session = session_();
  if (session != nullptr && !session->last_break().ok()) return Warn(session->last_break());
  timer_.Set(options_.look_interval, [this] { Look(); });
}

void OutageLog::Warn(const absl::Status& why) {
  told_ = true;
  log_.Warning("the core cannot be reached, trying again",
               {{"nodes", nodes_}, {"for_ms", base::ToMillis(loop_->Now() - *since_)}, {"status", why}});
  timer_.Set(options_.repeat_interval, [this] { Look(); });
}

}  // namespace drover::pool
