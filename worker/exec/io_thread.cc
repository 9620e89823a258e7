#include "worker/exec/io_thread.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "coord/base/mutex.h"
#include "worker/exec/reaper_process.h"
#include "worker/exec/run_setup.h"
#include "worker/exec/wire.h"

namespace drover::worker::exec {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kHelloTimeoutMs = 30'000;
// Tags of epoll events; pipes are run << 1 | stream, and runs count from 1.
constexpr std::uint64_t kWakeTag = 0;
constexpr std::uint64_t kControlTag = 1;

class IoThreadImpl final : public IoThread {
 public:
  IoThreadImpl(IoOptions options, Fd lease) : options_(std::move(options)), lease_(std::move(lease)) {}

  absl::Status Start() {
    epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
    wake_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!epoll_.open() || !wake_.open()) return absl::InternalError("cannot make an epoll set");
    Poll(EPOLL_CTL_ADD, wake_.get(), EPOLLIN, kWakeTag);
    if (auto status = Spawn(); !status.ok()) return status;
    pollfd ready{reaper_.control.get(), POLLIN, 0};
    ::poll(&ready, 1, kHelloTimeoutMs);
    const Received hello = ReceiveMessage(reaper_.control.get(), false);
    if (hello.message.empty() || TypeOf(hello.message) != MessageType::kHello) {
      EndReaper();
      return absl::InternalError("the reaper process did not start");
    }
    proven_ = true;
    return absl::OkStatus();
  }

  ~IoThreadImpl() override {
    {
      base::MutexLock lock(&mu_);
      stopping_ = true;
    }
    Wake();
    if (thread_.joinable()) thread_.join();
    EndReaper();
  }

  void Run(std::function<void(IoEvent)> deliver) override {
    deliver_ = std::move(deliver);
    thread_ = std::thread([this] { Main(); });
  }

  void Push(IoCommand command) override {
    bool wake = false;
    {
      base::MutexLock lock(&mu_);
      // An acknowledgement matters only to a run whose pipes are not read.
      wake = command.type != IoCommand::Type::kAck || paused_ > 0;
      commands_.push_back(std::move(command));
    }
    if (wake) Wake();
  }

  pid_t reaper_pid() const override { return reaper_pid_; }

 private:
  struct Pipe {
    Fd fd;
    bool polled = false;
  };
  struct RunState {
    std::string program, cwd;          // for sentences
    std::array<Pipe, kStreams> pipes;  // of the result: the file, once it has ended
    std::size_t unacked = 0;
    bool paused = false;
    bool sent = false;             // the reaper has it
    std::optional<IoEvent> ended;  // delivered once the pipes are empty
  };
  struct Outgoing {
    RunId run;  // of a start
    std::string message;
    std::vector<Fd> fds;
  };

  void Wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof one);
  }

  void Poll(int operation, int fd, std::uint32_t events, std::uint64_t tag) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = tag;
    ::epoll_ctl(epoll_.get(), operation, fd, &event);
  }

  // ---- the reaper ----

  absl::Status Spawn() {
    auto reaper = SpawnReaper(options_.reaper_binary, options_.directory, lease_.get());
    if (!reaper.ok()) return reaper.status();
    reaper_ = *std::move(reaper);
    reaper_pid_ = reaper_.pid;
    proven_ = false;
    wants_room_ = false;
    Poll(EPOLL_CTL_ADD, reaper_.control.get(), EPOLLIN, kControlTag);
    return absl::OkStatus();
  }

  // Closes the link, which ends a living reaper and all it runs, and waits for that.
  void EndReaper() {
    if (reaper_.pid <= 0) return;
    if (reaper_.control.open()) {
      SendMessage(reaper_.control.get(), Pack(MessageType::kGoodbye, GoodbyeMessage{}), {}, true);
      reaper_.control.Close();
    }
    while (::waitpid(reaper_.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    reaper_.pid = -1;
    reaper_pid_ = -1;
  }

  // End of file on its link: reaper and shims are gone, so every program is dead.
  void ReaperLost() {
    Poll(EPOLL_CTL_DEL, reaper_.control.get(), 0, 0);
    reaper_.control.Close();
    const bool was_proven = proven_;
    EndReaper();
    for (auto& [run, state] : runs_) {
      if (!state.sent || state.ended) continue;
      IoEvent event{.type = IoEvent::Type::kExit, .run = run};
      event.exit.sentence = "the worker's reaper died";
      state.ended = std::move(event);
    }
    deliver_(IoEvent{.type = IoEvent::Type::kReaperLost});
    // One that died before it was ready would do so again: the next start tries anew.
    if (was_proven) Respawn();
    Settle();
  }

  void Respawn() {
    if (!Spawn().ok()) return;
    if (!will_.empty()) outgoing_.push_front({.message = WillOf(will_)});
    if (watched_) outgoing_.push_front({.message = Pack(MessageType::kWatch, WatchMessage{::getpid()})});
  }

  static std::string WillOf(const std::string& will) { return Pack(MessageType::kWill, WillMessage{}, will); }

  void FlushOutgoing() {
    while (!outgoing_.empty()) {
      if (!reaper_.control.open()) {
        Respawn();
        if (!reaper_.control.open()) return FailOutgoing();
      }
      Outgoing& next = outgoing_.front();
      std::vector<int> fds;
      for (const Fd& fd : next.fds) fds.push_back(fd.get());
      const int error = SendMessage(reaper_.control.get(), next.message, fds, false);
      if (error == EAGAIN || error == EPIPE || error == ECONNRESET) break;  // epoll says when there is room, or the end
      // ETOOMANYREFS and the like: this one start cannot be handed over.
      const auto it = runs_.find(next.run);
      if (it != runs_.end()) {
        if (error == 0) {
          it->second.sent = true;
        } else {
          NotStarted(next.run, error, StartFailureSentence(Stage::kFork, error, "", ""));
        }
      }
      outgoing_.pop_front();
    }
    if (!reaper_.control.open()) return;
    const bool more = !outgoing_.empty();
    if (more != wants_room_) Poll(EPOLL_CTL_MOD, reaper_.control.get(), EPOLLIN | (more ? EPOLLOUT : 0U), kControlTag);
    wants_room_ = more;
  }

  void FailOutgoing() {
    while (!outgoing_.empty()) {
      const RunId run = outgoing_.front().run;
      outgoing_.pop_front();
      if (runs_.count(run) != 0) NotStarted(run, ECHILD, "the worker has no reaper and cannot start one");
    }
  }

  void ReadControl() {
    while (reaper_.control.open()) {
      Received received = ReceiveMessage(reaper_.control.get(), false);
      if (received.error == EAGAIN) return;
      if (received.error != 0 || received.message.empty()) return ReaperLost();
      proven_ = true;
      if (TypeOf(received.message) == MessageType::kStarted) {
        if (const auto started = Unpack<StartedMessage>(received.message)) Started(RunId(started->run));
      } else if (TypeOf(received.message) == MessageType::kProgress) {
        if (const auto progress = Unpack<ProgressMessage>(received.message)) {
          Progressed(RunId(progress->run), received.message.substr(1 + sizeof(ProgressMessage)));
        }
      } else if (TypeOf(received.message) == MessageType::kExit) {
        const auto exit = Unpack<ExitMessage>(received.message);
        if (exit) Exited(*exit, received.fds.empty() ? Fd() : std::move(received.fds.front()));
      }
    }
  }

  // ---- runs ----

  void Started(RunId run) {
    const auto it = runs_.find(run);
    if (it == runs_.end() || it->second.ended) return;
    deliver_(IoEvent{.type = IoEvent::Type::kStarted, .run = run});
    Resume(run, it->second);
  }

  void Progressed(RunId run, std::string line) {
    const auto it = runs_.find(run);
    if (it == runs_.end() || it->second.ended) return;
    deliver_(IoEvent{.type = IoEvent::Type::kProgress, .run = run, .line = std::move(line)});
  }

  void Exited(const ExitMessage& message, Fd result) {
    const auto it = runs_.find(RunId(message.run));
    if (it == runs_.end() || it->second.ended) return;
    IoEvent event{.type = IoEvent::Type::kExit, .run = it->first};
    event.exit = Exit{.kind = message.kind,
                      .code = message.code,
                      .signal = message.signal,
                      .error = message.error,
                      .killed_by = message.killed_by};
    if (message.kind == Exit::Kind::kNotStarted) {
      event.exit.sentence = StartFailureSentence(message.stage, message.error, it->second.program, it->second.cwd);
    } else if (message.kind == Exit::Kind::kLost) {
      event.exit.sentence = "its supervisor was killed";
    }
    struct stat is {};
    if (result.open() && ::fstat(result.get(), &is) == 0 && static_cast<std::uint64_t>(is.st_size) > kResultBytesMax) {
      event.exit.result_refused_bytes = static_cast<std::uint64_t>(is.st_size);
    } else {
      it->second.pipes[static_cast<std::size_t>(Stream::kResult)].fd = std::move(result);
    }
    it->second.ended = std::move(event);
    Settle(it);
  }

  void NotStarted(RunId run, int error, std::string sentence) {
    runs_.erase(run);
    IoEvent event{.type = IoEvent::Type::kExit, .run = run};
    event.exit = Exit{.kind = Exit::Kind::kNotStarted, .error = error, .sentence = std::move(sentence)};
    deliver_(std::move(event));
  }

  void Execute(IoCommand command) {
    const auto it = runs_.find(command.run);
    switch (command.type) {
      case IoCommand::Type::kStart:
        StartRun(command.run, *command.start);
        break;
      case IoCommand::Type::kKill:
        if (it == runs_.end() || it->second.ended) break;
        outgoing_.push_back(
            {.message = Pack(MessageType::kKill,
                             KillMessage{.run = command.run.value, .grace_ns = command.grace.count(), .reason = command.reason})});
        break;
      case IoCommand::Type::kAck:
        if (it == runs_.end()) break;
        it->second.unacked -= std::min(it->second.unacked, command.bytes);
        if (it->second.paused && it->second.unacked < options_.unacked_bytes_max) Resume(it->first, it->second);
        if (it->second.ended) Settle(it);
        break;
      case IoCommand::Type::kWill:
        will_ = std::move(command.will);
        will_.resize(std::min(will_.size(), kWillBytesMax));
        outgoing_.push_back({.message = WillOf(will_)});
        break;
      case IoCommand::Type::kWatch:
        watched_ = true;
        outgoing_.push_back({.message = Pack(MessageType::kWatch, WatchMessage{::getpid()})});
        break;
    }
  }

  void StartRun(RunId run, const TaskRun& task) {
    RunSetup setup = SetUp(task);
    if (setup.error != 0) return NotStarted(run, setup.error, std::move(setup.sentence));
    RunState& state = runs_[run];
    state.program = task.argv[0];
    state.cwd = task.cwd;
    state.pipes[0].fd = std::move(setup.out_read);
    state.pipes[1].fd = std::move(setup.err_read);
    Outgoing start{.run = run, .message = Pack(MessageType::kStart, StartMessage{run.value})};
    start.fds.push_back(std::move(setup.spec));
    start.fds.push_back(std::move(setup.in));
    start.fds.push_back(std::move(setup.out));
    start.fds.push_back(std::move(setup.err));
    outgoing_.push_back(std::move(start));
  }

  static std::uint64_t TagOf(RunId run, std::size_t stream) { return run.value << 1 | stream | kPipeBit; }
  static constexpr std::uint64_t kPipeBit = std::uint64_t{1} << 63;

  void SetPaused(RunState& state, bool paused) {
    if (state.paused == paused) return;
    state.paused = paused;
    base::MutexLock lock(&mu_);
    if (paused) {
      ++paused_;
    } else {
      --paused_;
    }
  }

  void Resume(RunId run, RunState& state) {
    SetPaused(state, false);
    for (const Stream polled : {Stream::kOut, Stream::kErr}) {
      const auto stream = static_cast<std::size_t>(polled);
      Pipe& pipe = state.pipes[stream];
      if (pipe.polled || !pipe.fd.open()) continue;
      Poll(EPOLL_CTL_ADD, pipe.fd.get(), EPOLLIN, TagOf(run, stream));
      pipe.polled = true;
    }
  }

  void Pause(RunState& state) {
    SetPaused(state, true);
    for (Pipe& pipe : state.pipes) Unpoll(pipe);
  }

  void Unpoll(Pipe& pipe) {
    if (pipe.polled) Poll(EPOLL_CTL_DEL, pipe.fd.get(), 0, 0);
    pipe.polled = false;
  }

  enum class ReadResult { kData, kEmpty, kEnd, kPaused };

  ReadResult ReadPipe(RunId run, RunState& state, std::size_t stream) {
    Pipe& pipe = state.pipes[stream];
    if (!pipe.fd.open()) return ReadResult::kEnd;
    if (state.unacked >= options_.unacked_bytes_max) {
      Pause(state);
      return ReadResult::kPaused;
    }
    ssize_t n = 0;
    do {
      n = ::read(pipe.fd.get(), buffer_.data(), std::min(buffer_.size(), options_.unacked_bytes_max - state.unacked));
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
      state.unacked += static_cast<std::size_t>(n);
      deliver_(IoEvent{.type = IoEvent::Type::kOutput,
                       .run = run,
                       .stream = static_cast<Stream>(stream),
                       .data = base::Bytes::Copy(absl::string_view(buffer_.data(), static_cast<std::size_t>(n)))});
      return ReadResult::kData;
    }
    if (n < 0 && errno == EAGAIN) return ReadResult::kEmpty;
    Unpoll(pipe);
    pipe.fd.Close();
    return ReadResult::kEnd;
  }

  // Delivers the end of an ended run once its pipes are empty, and its result is read. Not "closed": a program may have handed its
  // end to a stranger.
  using RunMap = std::map<RunId, RunState>;
  RunMap::iterator Settle(RunMap::iterator it) {
    for (std::size_t stream = 0; stream < kStreams; ++stream) {
      ReadResult result = ReadResult::kData;
      while (result == ReadResult::kData) result = ReadPipe(it->first, it->second, stream);
      if (result == ReadResult::kPaused) return std::next(it);  // goes on at an acknowledgement
    }
    SetPaused(it->second, false);
    for (Pipe& pipe : it->second.pipes) Unpoll(pipe);
    IoEvent event = *std::move(it->second.ended);
    it = runs_.erase(it);
    deliver_(std::move(event));
    return it;
  }
  void Settle() {
    for (auto it = runs_.begin(); it != runs_.end();) it = it->second.ended ? Settle(it) : std::next(it);
  }

  void ReadTag(std::uint64_t tag) {
    const RunId run((tag & ~kPipeBit) >> 1);
    const auto it = runs_.find(run);
    if (it != runs_.end()) ReadPipe(run, it->second, tag & 1);
  }

  void Main() {
    std::vector<IoCommand> commands;
    std::array<epoll_event, 64> events;
    for (;;) {
      {
        base::MutexLock lock(&mu_);
        if (stopping_) return;
        commands.swap(commands_);
      }
      for (IoCommand& command : commands) Execute(std::move(command));
      commands.clear();
      FlushOutgoing();
      // An acknowledgement that came before its run was paused did not wake us.
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), HasCommands() ? 0 : -1);
      for (int i = 0; i < count; ++i) {
        const std::uint64_t tag = events[static_cast<std::size_t>(i)].data.u64;
        if (tag == kWakeTag) {
          std::uint64_t ignored = 0;
          [[maybe_unused]] const ssize_t n = ::read(wake_.get(), &ignored, sizeof ignored);
        } else if (tag == kControlTag) {
          ReadControl();
        } else {
          ReadTag(tag);
        }
      }
    }
  }

  bool HasCommands() {
    base::MutexLock lock(&mu_);
    return !commands_.empty() || stopping_;
  }

  const IoOptions options_;
  const Fd lease_;
  Fd epoll_, wake_;
  std::atomic<pid_t> reaper_pid_{-1};

  // The thread's own (before Run: the creator's).
  std::function<void(IoEvent)> deliver_;
  ReaperProcess reaper_;
  bool proven_ = false;  // this reaper has said something
  bool wants_room_ = false;
  std::string will_;
  bool watched_ = false;
  std::deque<Outgoing> outgoing_;
  RunMap runs_;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);

  base::Mutex mu_;
  std::vector<IoCommand> commands_ ABSL_GUARDED_BY(mu_);
  int paused_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<IoThread>> IoThread::Create(IoOptions options, Fd lease) {
  auto io = std::make_unique<IoThreadImpl>(std::move(options), std::move(lease));
  if (auto status = io->Start(); !status.ok()) return status;
  return io;
}

}  // namespace drover::worker::exec
