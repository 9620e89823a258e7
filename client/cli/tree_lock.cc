// `drover tree lock`: runs a command while this process holds a lock of the tree.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>
#include <variant>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/auto_reset_event.h"
#include "client/cli/child.h"
#include "client/cli/exit_code.h"
#include "client/cli/interruption.h"
#include "client/cli/tree_core.h"
#include "coord/base/mutex.h"
#include "drover/coord/status.h"
#include "drover/recipes/lock.h"

namespace drover::cli {
namespace {

using std::chrono::steady_clock;

constexpr int kInterruptedExitCode = 128 + SIGINT;

struct LockFlags {
  std::string path;
  bool read = false;
  bool write = false;
  std::uint32_t permits = 0;
  base::Duration patience{0};
  base::Duration session_timeout = std::chrono::seconds(6);
  base::Duration kill_after = std::chrono::seconds(10);
  std::vector<std::string> command;
};

// The lock, on the client's loop; what became of it, for the thread that waits.
class Holder final : private recipes::LockObserver, private coord::SessionObserver {
 public:
  // On the loop; so is the destructor.
  Holder(coord::Session* session, const LockFlags& flags, const std::string& who, AutoResetEvent* changed)
      : session_(session), changed_(changed) {
    recipes::LockOptions options{.path = flags.path, .data = who};
    session_->AddObserver(this);
    recipes::LockObserver* const self = this;
    if (flags.read || flags.write) {
      auto& lock = lock_.emplace<recipes::ReadWriteLock>(session, std::move(options), self);
      flags.read ? lock.AcquireRead(flags.patience) : lock.AcquireWrite(flags.patience);
    } else if (flags.permits > 0) {
      lock_.emplace<recipes::Semaphore>(session, std::move(options), flags.permits, self).Acquire(flags.patience);
    } else {
      lock_.emplace<recipes::Mutex>(session, std::move(options), self).Acquire(flags.patience);
    }
  }
  ~Holder() { session_->RemoveObserver(this); }

  // Any thread.
  [[nodiscard]] std::optional<recipes::LockGrant> grant() {
    base::MutexLock lock(&mu_);
    return grant_;
  }
  // OK: it waits or holds.
  [[nodiscard]] absl::Status lost() {
    base::MutexLock lock(&mu_);
    return lost_;
  }

 private:
  void OnAcquired(const recipes::LockGrant& grant) override {
    base::MutexLock lock(&mu_);
    grant_ = grant;
    changed_->Set();
  }
  void OnLost(const absl::Status& why) override { Lose(why); }
  // Somebody else may hold it from now on. Waiting has no deadline of this kind.
  void OnLeaseLost() override {
    if (grant().has_value()) Lose(absl::UnavailableError("the core has not answered for as long as the session lasts"));
  }
  void Lose(const absl::Status& why) {
    base::MutexLock lock(&mu_);
    if (lost_.ok()) lost_ = why;
    changed_->Set();
  }

  coord::Session* const session_;
  AutoResetEvent* const changed_;
  base::Mutex mu_;
  std::optional<recipes::LockGrant> grant_ ABSL_GUARDED_BY(mu_);
  absl::Status lost_ ABSL_GUARDED_BY(mu_);
  std::variant<std::monostate, recipes::Mutex, recipes::ReadWriteLock, recipes::Semaphore> lock_;
};

// Tells when the child has ended; what it ended with is left for Child::Reap.
class Waiting {
 public:
  Waiting(pid_t child, AutoResetEvent* changed)
      : thread_([child, changed] {
          siginfo_t info;
          while (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
          }
          changed->Set();
        }) {}
  // The child has ended.
  ~Waiting() { thread_.join(); }

 private:
  std::thread thread_;
};

// Until the command has ended. A signal is handed on to it; without the lock it is told to stop, and then made to.
int Attend(const App& app, Child& command, Holder& holder, const Interruption& interruption, base::Duration kill_after,
           AutoResetEvent& changed) {
  const Waiting ended(command.pid(), &changed);
  bool told = false;
  absl::Status lost;
  steady_clock::time_point kill_at = steady_clock::time_point::max();
  while (!command.Reap()) {
    if (interruption.asked() && !told) {
      told = true;
      command.Signal(SIGTERM);
    }
    if (lost.ok() && !(lost = holder.lost()).ok()) {
      app.output.Note(absl::StrCat("the lock is lost (", lost.message(), "); the command is told to stop"));
      command.Signal(SIGTERM);
      kill_at = steady_clock::now() + kill_after;
    }
    if (steady_clock::now() >= kill_at) {
      app.output.Note("the command goes on without the lock; it is killed");
      command.Signal(SIGKILL);
      kill_at = steady_clock::time_point::max();
    }
    changed.Wait(kill_at);
  }
  if (lost.ok()) return ShellCode(command.wait_status());
  return app.output.Fail(kRefused, absl::AbortedError(absl::StrCat("the lock was lost while the command ran: ", lost.message())));
}

int RunLocked(const App& app, const LockFlags& flags, const Interruption& interruption, Holder& holder, AutoResetEvent& changed) {
  while (!holder.grant().has_value()) {
    const absl::Status lost = holder.lost();
    if (absl::IsDeadlineExceeded(lost)) return app.output.Fail(kTimedOut, lost);
    if (!lost.ok()) return app.output.Fail(At(flags.path, lost));
    if (interruption.asked()) return kInterruptedExitCode;
    changed.Wait(steady_clock::time_point::max());
  }
  const recipes::LockGrant grant = *holder.grant();
  ChildSpec spec;
  spec.id = flags.command[0];
  spec.argv = flags.command;
  spec.environment = CurrentEnvironment();
  spec.environment["DROVER_LOCK_PATH"] = grant.path;
  spec.environment["DROVER_LOCK_TOKEN"] = absl::StrCat(grant.token.value);
  Child command(std::move(spec));
  if (absl::Status s = command.Start(); !s.ok()) return app.output.Fail(s);
  return Attend(app, command, holder, interruption, flags.kill_after, changed);
}

int Lock(const App& app, const LockFlags& flags) {
  const int kinds = (flags.read ? 1 : 0) + (flags.write ? 1 : 0) + (flags.permits > 0 ? 1 : 0);
  if (kinds > 1) return app.Usage("tree lock: only one of --read, --write and --permits");
  AutoResetEvent changed;
  const Interruption interruption(&changed);  // before any other thread
  auto core = app.Core(flags.session_timeout);
  if (!core.ok()) return app.output.Fail(core.status());
  std::unique_ptr<Holder> holder;
  (*core)->OnLoop([&](coord::Session& session) {
    holder = std::make_unique<Holder>(&session, flags, absl::StrCat("drover ", getpid()), &changed);
  });
  const int code = RunLocked(app, flags, interruption, *holder, changed);
  // The session's end gives the lock back.
  (*core)->OnLoop([&](coord::Session&) { holder = nullptr; });
  if (absl::Status closed = (*core)->Close(); !closed.ok() && code == kOk) {
    app.output.Note(absl::StrCat("the lock is given back when the session times out: ", closed.message()));
  }
  return code;
}

}  // namespace

void AddTreeLockCommand(process::OptionSet* tree, Commands* commands) {
  process::OptionSet& options =
      tree->Command("lock", "Waits for a lock and runs a command while it is held: its exit code as this command's");
  auto flags = std::make_shared<LockFlags>();
  options.Argument("PATH", &flags->path, "Path of the lock: of a node that nothing else uses; made if missing");
  options.Flag("--read", &flags->read, "Beside other readers, not beside a --write");
  options.Flag("--write", &flags->write, "Beside no --read and no --write");
  options.Number("--permits", &flags->permits, "So many may hold it at a time; all who use the lock must give the same number", 1);
  options.Time("--wait", &flags->patience, "Exit with 5 if it is not free by then; 0: wait for ever");
  options.Time("--session-timeout", &flags->session_timeout, "So long after this process falls silent another one gets the lock",
               std::chrono::milliseconds(500), std::chrono::minutes(5));
  options.Time("--kill-after", &flags->kill_after, "If the lock is lost the command gets SIGTERM, and so long after it SIGKILL");
  options.Rest("COMMAND", &flags->command, "What is run; its environment has DROVER_LOCK_TOKEN and DROVER_LOCK_PATH");
  options.Footer(
      "DROVER_LOCK_TOKEN grows from holder to holder. Let what the lock protects refuse a token lower than the highest it has "
      "seen:\n"
      "that alone stops a command whose lock was lost while this process was paused. For data in the tree, compare the czxid of\n"
      "DROVER_LOCK_PATH with the token.");
  commands->push_back({&options, [flags](const App& app) { return Lock(app, *flags); }});
}

}  // namespace drover::cli
