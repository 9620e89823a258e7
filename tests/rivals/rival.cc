// drover-rival: a process that wants all that others of its kind want, and writes to the resources what it holds entitles it to
// (part.h). It begins anew whenever its session is over, and ends when it is killed.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/loop.h"
#include "coord/base/random.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "drover/coord/session.h"
#include "tests/rivals/courier.h"
#include "tests/rivals/part.h"

namespace drover::rivals {
namespace {

using std::chrono::milliseconds;

constexpr char kSessionMethod[] = "/drover.coord.v1.Coordination/Session";

class Rival final : private coord::SessionObserver {
 public:
  Rival(base::Loop* loop, base::Dialer* dialer, coord::SessionOptions options, Setting setting)
      : loop_(loop), dialer_(dialer), options_(std::move(options)), setting_(std::move(setting)), tick_(loop) {
    Begin();
    Tick();
  }

 private:
  void OnExpired(const absl::Status& /*why*/) override { expired_ = true; }

  void Begin() {
    options_.first_endpoint = setting_.random->Below(options_.endpoints.size());
    session_ = coord::Session::Open(loop_, dialer_, options_);
    session_->AddObserver(this);
    coord::Session* const session = session_.get();
    const Setting* const setting = &setting_;
    parts_.push_back(std::make_unique<LockPart<recipes::Mutex>>(
        setting, session, "mutex", Rule::kFirst,
        [](recipes::Mutex& mutex, bool impatient) { mutex.Acquire(milliseconds(impatient ? 500 : 0)); }));
    parts_.push_back(std::make_unique<LockPart<recipes::ReadWriteLock>>(
        setting, session, "rw", Rule::kReadWrite, [](recipes::ReadWriteLock& lock, bool) { lock.AcquireWrite(); }));
    parts_.push_back(std::make_unique<LockPart<recipes::Semaphore>>(
        setting, session, "semaphore", Rule::kPermits, [](recipes::Semaphore& semaphore, bool) { semaphore.Acquire(); }, kPermits));
    // In any order.
    std::vector<std::string> several = {"several-a", "several-b"};
    if (setting_.random->Below(2) == 0) std::swap(several[0], several[1]);
    parts_.push_back(std::make_unique<MultiPart>(setting, session, several));
    parts_.push_back(std::make_unique<ElectionPart>(setting, session));
    parts_.push_back(std::make_unique<ShardPart>(setting, session));
    parts_.push_back(std::make_unique<BarrierPart>(setting, session));
    parts_.push_back(std::make_unique<CounterPart>(setting, session));
    parts_.push_back(std::make_unique<QueuePart>(setting, session));
    parts_.push_back(std::make_unique<CommitPart>(setting, session));
  }
  void Tick() {
    if (std::exchange(expired_, false)) {
      parts_.clear();
      session_.reset();
      Begin();
    }
    for (const auto& part : parts_) part->Tick();
    const auto spread = static_cast<std::uint64_t>(base::ToMillis(kTickMax - kTickMin));
    tick_.Set(kTickMin + milliseconds(setting_.random->Below(spread + 1)), [this] { Tick(); });
  }

  base::Loop* const loop_;
  base::Dialer* const dialer_;
  coord::SessionOptions options_;
  const Setting setting_;
  std::unique_ptr<coord::Session> session_;
  std::vector<std::unique_ptr<Part>> parts_;
  base::Timer tick_;
  bool expired_ = false;
};

int Main(int argc, char** argv) {
  CLI::App app("Wants what all others of its kind want.");
  coord::SessionOptions options;
  Setting setting;
  std::int64_t timeout_ms = 2'000;
  std::uint64_t seed = 1;
  int resources = 0;
  app.add_option("--coord", options.endpoints, "HOST:PORT,... of the coordination nodes, as it reaches them")
      ->delimiter(',')
      ->required();
  app.add_option("--resources", resources, "The resource server's port on the loopback")->required();
  app.add_option("--name", setting.name, "Unique among all that live")->required();
  app.add_option("--all", setting.all, "NAME,... of all rivals")->delimiter(',')->required();
  app.add_option("--session-timeout-ms", timeout_ms);
  app.add_option("--seed", seed);
  app.add_flag("--keep", setting.keeps, "Give nothing back unless asked to");
  CLI11_PARSE(app, argc, argv);
  options.timeout = milliseconds(timeout_ms);
  options.name = setting.name;

  base::SeededRandom random(seed);
  transport::CqLoop loop;
  transport::GrpcDialer dialer(&loop, kSessionMethod);
  Courier courier(&loop, &random, resources, setting.name);
  setting.courier = &courier;
  setting.random = &random;
  const Rival rival(&loop, &dialer, options, setting);
  loop.Run();
  return 0;
}

}  // namespace
}  // namespace drover::rivals

int main(int argc, char** argv) {
  return drover::rivals::Main(argc, argv);
}
