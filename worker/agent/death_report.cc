#include "worker/agent/death_report.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/process/logging.h"
#include "drover/coord/status.h"
#include "master/records/codec.h"

namespace drover::worker::agent {
namespace {

constexpr base::Duration kRetryDelay = std::chrono::milliseconds(200);
const process::Logger kLog("worker.reaper");

}  // namespace

DeathReport::DeathReport(base::Loop* loop, base::Dialer* dialer, LastWill will, absl::AnyInvocable<void()> done)
    : loop_(loop), dialer_(dialer), will_(std::move(will)), done_(std::move(done)), retry_(loop), patience_(loop) {
  patience_.Set(will_.patience, [this] { GiveUp(); });
  Open();
}

DeathReport::~DeathReport() {
  if (session_ != nullptr) session_->RemoveObserver(this);
}

void DeathReport::Open() {
  coord::SessionOptions options;
  options.endpoints = will_.endpoints;
  options.name = absl::StrCat("reaper of ", will_.worker).substr(0, 128);
  session_ = coord::Session::Open(loop_, dialer_, std::move(options));
  session_->AddObserver(this);
  Create();
}

void DeathReport::OnExpired(const absl::Status& why) {
  kLog.Warning("session lost, trying again", {{"worker", will_.worker}, {"status", why}});
  // Replaced from a timer: it may still be calling its callbacks.
  retry_.Set(kRetryDelay, [this] { Open(); });
}

void DeathReport::Create() {
  v1::Died died;
  died.set_worker(will_.worker);
  session_->Create(will_.died_path, records::Encode(died), {.parents = true}, [this](absl::StatusOr<coord::CreateResult> made) {
    if (made.ok() || coord::IsNodeExists(made.status())) return CloseSession();
    if (coord::IsOutcomeUnknown(made.status()) || coord::IsSessionExpired(made.status())) return;  // OnExpired comes, too
    retry_.Set(kRetryDelay, [this] { Create(); });
  });
}

void DeathReport::CloseSession() {
  coord::SessionCloserOptions options;
  options.endpoints = will_.endpoints;
  closer_ = coord::SessionCloser::Start(loop_, dialer_, will_.ticket, std::move(options), [this](absl::Status status) {
    kLog.Info("the worker is dead and so are its tasks",
              {{"worker", will_.worker}, {"session", will_.ticket.id}, {"status", status}});
    session_->RemoveObserver(this);
    session_->Close([this](absl::Status) {
      if (done_) std::exchange(done_, nullptr)();
    });
  });
}

void DeathReport::GiveUp() {
  kLog.Error("nobody could be told of the worker's death: giving up",
             {{"worker", will_.worker}, {"session", will_.ticket.id}, {"status", session_->last_break()}});
  if (done_) std::exchange(done_, nullptr)();
}

}  // namespace drover::worker::agent
