#include "tests/bench/watch_bench.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/base/status.h"
#include "coord/process/file_limit.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "drover/coord/session.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/latch.h"
#include "tests/bench/machine.h"
#include "tests/bench/process_memory.h"
#include "tests/bench/statistics.h"
#include "tests/bench/systems/system.h"

namespace drover::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kSessionMethod[] = "/drover.coord.v1.Coordination/Session";
constexpr char kHot[] = "/hot";
constexpr std::chrono::seconds kStepLimit{120};
constexpr std::chrono::seconds kRest{5};  // what is left of a step (frames, garbage) goes meanwhile
constexpr int kSessionsAtATime = 100;
constexpr int kSparedDescriptors = 200;                              // of this process and of the node, besides the sessions'
constexpr base::Duration kSessionTimeout = std::chrono::minutes(5);  // contacts are not what is measured

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Sessions with watches, on a loop of their own.
class Fleet {
 public:
  Fleet(std::string address, coord::WatchKind kind) : address_(std::move(address)), kind_(kind) {
    thread_.RunOnLoop([&] { dialer_ = std::make_unique<transport::GrpcDialer>(thread_.loop(), kSessionMethod); });
  }
  ~Fleet() {
    thread_.RunOnLoop([&] {
      sessions_.clear();
      dialer_.reset();
    });
  }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // Granted, all of them, when it returns.
  absl::Status Open(int count) {
    const auto granted = std::make_shared<Latch>(count);
    thread_.RunOnLoop([&] {
      for (int i = 0; i < count; ++i) {
        coord::SessionOptions options;
        options.endpoints = {address_};
        options.timeout = kSessionTimeout;
        options.name = absl::StrCat("watcher-", sessions_.size());
        sessions_.push_back(coord::Session::Open(thread_.loop(), dialer_.get(), std::move(options)));
        sessions_.back()->Sync([granted](const absl::StatusOr<coord::Zxid>& zxid) {
          if (zxid.ok()) granted->CountDown();
        });
      }
    });
    return Await(granted.get(), "sessions");
  }

  // Watches of sessions `first` to `last`, `each` of them each, on paths that nobody else watches. They stand when it returns.
  absl::Status Arm(int first, int last, std::uint64_t each) {
    const auto armed = std::make_shared<Latch>(static_cast<int>(each) * (last - first));
    thread_.RunOnLoop([&] {
      listener_.armed = armed;
      for (int i = first; i < last; ++i) {
        for (std::uint64_t k = 0; k < each; ++k) sessions_[Slot(i)]->Watch(WatchedPath(i, k), {.kind = kind_}, &listener_);
      }
    });
    return Await(armed.get(), "watches");
  }

  struct FanOut {
    std::vector<float> took_ms;
    double seconds = 0;
  };
  // Changes one node that all sessions watch, again and again until the time is over.
  absl::StatusOr<FanOut> Change(const std::string& value, base::Duration warm_up, base::Duration measure) {
    const auto made = std::make_shared<Latch>(1);
    const auto armed = std::make_shared<Latch>(static_cast<int>(sessions_.size()));
    thread_.RunOnLoop([&] {
      listener_.armed = armed;
      hot_.fleet = this;
      sessions_.front()->Create(kHot, value, {}, [&, made](const absl::StatusOr<coord::CreateResult>& created) {
        if (!created.ok()) return;
        for (const auto& session : sessions_) session->Watch(kHot, {.kind = coord::WatchKind::kPersistent}, &hot_);
        made->CountDown();
      });
    });
    DROVER_RETURN_IF_ERROR(Await(made.get(), "the node that all watch"));
    DROVER_RETURN_IF_ERROR(Await(armed.get(), "watches of that node"));
    const auto done = std::make_shared<Latch>(1);
    thread_.RunOnLoop([&] {
      hot_.done = done;
      hot_.value = value;
      hot_.count_from = Clock::now() + warm_up;
      hot_.until = hot_.count_from + measure;
      Next();
    });
    const bool ended = done->WaitFor(warm_up + measure + kStepLimit);
    FanOut result;
    thread_.RunOnLoop([&] {
      result.took_ms = hot_.took_ms;
      result.seconds = std::chrono::duration<double>(hot_.last - hot_.first).count();
    });
    if (Interrupted()) return absl::CancelledError("interrupted");
    if (!ended || !hot_.failed.ok()) {
      return absl::UnavailableError(absl::StrCat("a change did not reach all: ", hot_.failed.ToString()));
    }
    return result;
  }

 private:
  // Counts the watches that stand.
  struct Listener final : coord::WatchListener {
    void OnArmed(coord::Zxid /*zxid*/) override { armed->CountDown(); }
    void OnEvent(const coord::Event& /*event*/) override {}
    void OnCompacted() override {}
    std::shared_ptr<Latch> armed;
  };
  // Counts who was told of the change under way.
  struct Hot final : coord::WatchListener {
    void OnArmed(coord::Zxid zxid) override { fleet->listener_.OnArmed(zxid); }
    void OnEvent(const coord::Event& /*event*/) override { fleet->Told(); }
    void OnCompacted() override { failed = absl::DataLossError("a watch fell behind"); }

    Fleet* fleet = nullptr;
    std::shared_ptr<Latch> done;
    std::string value;
    Clock::time_point count_from, until;
    Clock::time_point asked, first,
        last;  // of the change under way; of the counted ones, when the first was asked and the last told
    std::size_t told = 0;
    std::vector<float> took_ms;
    absl::Status failed;
  };

  static std::size_t Slot(int i) { return static_cast<std::size_t>(i); }

  static absl::Status Await(Latch* latch, absl::string_view what) {
    if (latch->WaitFor(kStepLimit)) return Interrupted() ? absl::CancelledError("interrupted") : absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(what, ": not all of them within ", kStepLimit.count(), " s"));
  }

  void Next() {
    hot_.told = 0;
    hot_.asked = Clock::now();
    sessions_.front()->Set(kHot, hot_.value, std::nullopt, [this](const absl::StatusOr<coord::SetResult>& set) {
      if (set.ok()) return;
      hot_.failed = set.status();
      hot_.done->CountDown();
    });
  }
  void Told() {
    if (++hot_.told < sessions_.size()) return;
    const Clock::time_point now = Clock::now();
    if (hot_.asked >= hot_.count_from) {
      if (hot_.took_ms.empty()) hot_.first = hot_.asked;
      hot_.last = now;
      hot_.took_ms.push_back(std::chrono::duration<float, std::milli>(now - hot_.asked).count());
    }
    if (now >= hot_.until || Interrupted()) return hot_.done->CountDown();
    Next();
  }

  const std::string address_;
  const coord::WatchKind kind_;
  transport::LoopThread thread_;
  // Of the loop's thread.
  std::unique_ptr<transport::GrpcDialer> dialer_;
  std::vector<std::unique_ptr<coord::Session>> sessions_;
  Listener listener_;
  Hot hot_;
};

coord::WatchKind KindOf(const std::string& name) {
  if (name == "once") return coord::WatchKind::kOnce;
  return name == "recursive" ? coord::WatchKind::kRecursive : coord::WatchKind::kPersistent;
}

absl::StatusOr<double> ResidentAtRest(System* system) {
  DROVER_RETURN_IF_ERROR(Pause(kRest));
  DROVER_ASSIGN_OR_RETURN(const ProcessMemory memory, ReadProcessMemory(system->server(0).pid()));
  return static_cast<double>(memory.resident_bytes);
}

absl::Status CheckDescriptors(int sessions) {
  const process::FileLimit limit = process::RaiseFileLimit(process::Logger("bench"));
  if (limit.now >= static_cast<std::uint64_t>(sessions + kSparedDescriptors)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(sessions, " sessions need ", sessions + kSparedDescriptors,
                                                    " descriptors in one process, and ", limit.now,
                                                    " are allowed (ulimit -n): give fewer --sessions"));
}

}  // namespace

absl::StatusOr<WatchReport> RunWatchBench(const Flags& flags, const std::string& directory,
                                          const std::function<void(absl::string_view)>& progress) {
  DROVER_RETURN_IF_ERROR(CheckDescriptors(flags.sessions));
  WatchReport report;
  report.machine = DescribeMachine(directory);
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<System> system, MakeSystem("drover", 1, directory));
  std::vector<std::string>& argv = system->server(0).argv();
  argv.insert(argv.end(), {"--streams", absl::StrCat(flags.sessions + kSparedDescriptors)});
  progress("starting a node");
  DROVER_RETURN_IF_ERROR(system->Start());
  DROVER_RETURN_IF_ERROR(system->AwaitSettled(kSettleLimit).status());
  report.systems.push_back(system->Facts());
  DROVER_ASSIGN_OR_RETURN(report.empty_bytes, ResidentAtRest(system.get()));

  Fleet fleet(system->addresses().front(), KindOf(flags.watch_kind));
  Clock::time_point begin = Clock::now();
  for (int i = 0; i < flags.sessions; i += kSessionsAtATime) {
    DROVER_RETURN_IF_ERROR(fleet.Open(std::min(kSessionsAtATime, flags.sessions - i)));
  }
  report.open_s = SecondsSince(begin);
  progress(absl::StrFormat("%d sessions are open after %.1f s", flags.sessions, report.open_s));
  DROVER_ASSIGN_OR_RETURN(report.sessions_bytes, ResidentAtRest(system.get()));

  begin = Clock::now();
  const std::uint64_t each = flags.watches / static_cast<std::uint64_t>(flags.sessions);
  for (int i = 0; i < flags.sessions; i += kSessionsAtATime) {
    DROVER_RETURN_IF_ERROR(fleet.Arm(i, std::min(i + kSessionsAtATime, flags.sessions), each));
  }
  report.arm_s = SecondsSince(begin);
  progress(absl::StrFormat("%d watches stand after %.1f s", flags.watches, report.arm_s));
  DROVER_ASSIGN_OR_RETURN(report.watches_bytes, ResidentAtRest(system.get()));

  DROVER_ASSIGN_OR_RETURN(Fleet::FanOut fan_out, fleet.Change(RandomText(1, flags.data_bytes), flags.warm_up, flags.measure));
  report.changes = fan_out.took_ms.size();
  report.notifications_per_second =
      fan_out.seconds > 0 ? static_cast<double>(report.changes) * flags.sessions / fan_out.seconds : 0;
  report.p50_ms = Percentile(&fan_out.took_ms, 0.5);
  report.p99_ms = Percentile(&fan_out.took_ms, 0.99);
  return report;
}

}  // namespace drover::bench
