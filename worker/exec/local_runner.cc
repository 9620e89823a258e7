#include "worker/exec/local_runner.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/exec/io_thread.h"
#include "worker/exec/lease.h"

namespace drover::worker::exec {
namespace {

// The loop's half: listeners, and commands to the I/O thread.
class LocalRunnerImpl final : public LocalRunner {
 public:
  LocalRunnerImpl(base::Loop* loop, RunnerOptions options, std::unique_ptr<LeasePage> lease, std::unique_ptr<IoThread> io)
      : lease_(std::move(lease)), listeners_(std::make_shared<Listeners>()), io_(std::move(io)) {
    // The I/O thread's events outlive this object in the loop's queue: they find the listeners gone.
    auto deliver = [loop, weak = std::weak_ptr<Listeners>(listeners_),
                    on_reaper_lost = std::move(options.on_reaper_lost)](IoEvent event) {
      loop->PostFromAnyThread([weak, on_reaper_lost, event = std::move(event)]() mutable {
        if (const auto listeners = weak.lock()) listeners->Deliver(std::move(event), on_reaper_lost);
      });
    };
    io_->Run(std::move(deliver));
  }

  ~LocalRunnerImpl() override {
    listeners_.reset();
    io_.reset();
  }

  RunId Start(TaskRun run, RunListener* listener) override {
    last_run_ = last_run_.Next();
    listeners_->by_run.emplace(last_run_, listener);
    io_->Push(IoCommand{.type = IoCommand::Type::kStart, .run = last_run_, .start = std::make_unique<TaskRun>(std::move(run))});
    return last_run_;
  }
  void Kill(RunId run, KilledBy reason, base::Duration grace) override {
    io_->Push(IoCommand{.type = IoCommand::Type::kKill, .run = run, .reason = reason, .grace = grace});
  }
  void Ack(RunId run, std::size_t bytes) override {
    io_->Push(IoCommand{.type = IoCommand::Type::kAck, .run = run, .bytes = bytes});
  }
  void SetLease(base::Instant deadline) override { lease_->Raise(deadline.time_since_epoch().count()); }
  void SetLastWill(std::string will) override { io_->Push(IoCommand{.type = IoCommand::Type::kWill, .will = std::move(will)}); }
  void WatchWorker() override { io_->Push(IoCommand{.type = IoCommand::Type::kWatch}); }
  void SetDoom(std::int64_t doom_ns) override { lease_->SetDoom(doom_ns); }
  void SetDoomedWithLease(bool doomed) override { lease_->SetDoomedWithLease(doomed); }
  pid_t reaper_pid() const override { return io_->reaper_pid(); }

 private:
  struct Listeners {
    std::map<RunId, RunListener*> by_run;

    void Deliver(IoEvent event, const std::function<void()>& on_reaper_lost) {
      if (event.type == IoEvent::Type::kReaperLost) {
        if (on_reaper_lost) on_reaper_lost();
        return;
      }
      const auto it = by_run.find(event.run);
      if (it == by_run.end()) return;
      RunListener* listener = it->second;
      switch (event.type) {
        case IoEvent::Type::kStarted:
          listener->OnStarted();
          break;
        case IoEvent::Type::kOutput:
          listener->OnOutput(event.stream, std::move(event.data));
          break;
        case IoEvent::Type::kProgress:
          listener->OnProgress(std::move(event.line));
          break;
        case IoEvent::Type::kExit:
          by_run.erase(it);
          listener->OnExit(event.exit);
          break;
        case IoEvent::Type::kReaperLost:
          break;
      }
    }
  };

  const std::unique_ptr<LeasePage> lease_;
  std::shared_ptr<Listeners> listeners_;
  std::unique_ptr<IoThread> io_;
  RunId last_run_;
};

absl::StatusOr<std::string> MakeDirectory(const std::string& work_root) {
  const std::unique_ptr<char, void (*)(void*)> absolute(::realpath(work_root.c_str(), nullptr), ::free);
  if (absolute == nullptr)
    return absl::InvalidArgumentError(absl::StrCat("work directory ", work_root, ": ", std::strerror(errno)));
  std::string path = absl::StrCat(absolute.get(), "/drover-worker-XXXXXX");
  if (::mkdtemp(path.data()) == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("work directory ", work_root, ": ", std::strerror(errno)));
  }
  return path;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalRunner>> LocalRunner::Create(base::Loop* loop, RunnerOptions options) {
  Fd page(::memfd_create("drover-lease", MFD_CLOEXEC));
  if (!page.open() || ::ftruncate(page.get(), LeasePage::kBytes) != 0) {
    return absl::InternalError(absl::StrCat("lease page: ", std::strerror(errno)));
  }
  auto lease = LeasePage::Map(page.get());
  if (lease == nullptr) return absl::InternalError(absl::StrCat("lease page: ", std::strerror(errno)));
  auto directory = MakeDirectory(options.work_root);
  if (!directory.ok()) return directory.status();
  IoOptions io_options{
      .directory = *directory, .reaper_binary = options.reaper_binary, .unacked_bytes_max = options.unacked_bytes_max};
  auto io = IoThread::Create(std::move(io_options), std::move(page));
  if (!io.ok()) {
    ::rmdir(directory->c_str());
    return io.status();
  }
  return std::make_unique<LocalRunnerImpl>(loop, std::move(options), std::move(lease), *std::move(io));
}

}  // namespace drover::worker::exec
