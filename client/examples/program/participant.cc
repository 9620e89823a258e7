#include "client/examples/program/participant.h"

#include <ctime>
#include <iostream>

#include "client/examples/program/command_line.h"

namespace drover::examples {
namespace {

constexpr base::Duration kLook = std::chrono::milliseconds(50);
constexpr int kLooksInATick = 20;

}  // namespace

Stop::Stop() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

bool Stop::AskedWithin(base::Duration time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds);
  const timespec wait = {.tv_sec = seconds.count(), .tv_nsec = rest.count()};
  if (!asked_) asked_ = sigtimedwait(&signals_, nullptr, &wait) > 0;
  return asked_;
}

absl::Status TakePart(const coord::BlockingOptions& options, Stop* stop, const MakeParticipant& make) {
  for (bool first = true; !stop->AskedWithin(base::Duration(0)); first = false) {
    absl::StatusOr<std::unique_ptr<coord::BlockingClient>> connected = ConnectToCore(options);
    if (!connected.ok()) {
      if (first) return connected.status();
      std::cerr << connected.status().message() << "\n";
      continue;
    }
    const std::shared_ptr<coord::BlockingClient> client = *std::move(connected);
    std::unique_ptr<Participant> participant;
    client->OnLoop([&](coord::Session& session) { participant = make(client, session); });
    for (int looks = 1; !client->expired() && !stop->AskedWithin(kLook); ++looks) {
      if (looks % kLooksInATick == 0) client->OnLoop([&](coord::Session&) { participant->OnTick(); });
    }
    client->OnLoop([&](coord::Session&) { participant = nullptr; });
    if (client->expired()) std::cerr << "the session has expired; beginning anew\n";
  }
  return absl::OkStatus();
}

}  // namespace drover::examples
