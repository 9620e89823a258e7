// What the commands of one shell have in common: the node at hand, one session with the core, who it has proved to be, its watches,
// and Ctrl-C.
//
// The session is opened by the first command that wants it, and lives as long as the shell; when it has expired, that is told at
// once, and the next command opens another one. Threads: commands run on one thread; events, news of the session and Ctrl-C come on
// others, and wait here until that thread takes them.
#ifndef DROVER_CLIENT_CLI_TREE_SESSION_H_
#define DROVER_CLIENT_CLI_TREE_SESSION_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/mutex.h"
#include "drover/coord/blocking.h"

namespace drover::cli {

// Something that comes while the user types, or while a command runs.
struct News {
  bool event = false;  // of a watch; else a word about the session or a watch
  std::string text;    // a line, without its end
};

class TreeSession {
 public:
  using Opener = std::function<absl::StatusOr<std::unique_ptr<coord::BlockingClient>>(coord::BlockingOptions options)>;

  // `options`: of the session. `open` is BlockingClient::Connect; tests bring their own.
  TreeSession(coord::BlockingOptions options, Opener open);
  // Ends the watches and closes the session.
  ~TreeSession();
  TreeSession(const TreeSession&) = delete;
  TreeSession& operator=(const TreeSession&) = delete;

  [[nodiscard]] const std::string& at() const { return at_; }
  void set_at(std::string at) { at_ = std::move(at); }

  // The session; opens one if there is none.
  [[nodiscard]] absl::StatusOr<coord::BlockingClient*> Core();
  // Null if there is none, or it has expired.
  [[nodiscard]] coord::BlockingClient* CoreIfOpen();
  // Proves who the user is, now and in every session to come.
  [[nodiscard]] absl::Status Authenticate(const coord::Credential& credential);
  [[nodiscard]] const std::vector<coord::Credential>& credentials() const { return options_.auth; }

  // ---- watches ----
  static constexpr std::size_t kWatchesMax = 32;
  using EventText = std::function<std::string(const coord::Event& event)>;
  // In the background: what `text` makes of its events is news. RESOURCE_EXHAUSTED: there are as many as may be.
  [[nodiscard]] absl::Status Watch(const std::string& path, coord::WatchOptions options, bool first_alone, EventText text);
  // Ends those of this path ("": all), and says how many.
  std::size_t Unwatch(const std::string& path);
  [[nodiscard]] std::vector<std::string> Watched();

  // ---- news ----
  // Readable while there are any, or Ctrl-C was pressed.
  [[nodiscard]] int news_fd() const { return news_fd_; }
  // All there are; the descriptor is no longer readable.
  [[nodiscard]] std::vector<News> TakeNews();

  // ---- Ctrl-C ----
  void Interrupt();                                                            // any thread
  void Leave();                                                                // any thread: Interrupt, and the shell shall end
  void Reset() { interrupted_ = false; }                                       // before a command
  [[nodiscard]] bool interrupted() const { return interrupted_ || leaving_; }  // any thread
  [[nodiscard]] bool leaving() const { return leaving_; }                      // any thread

  // While it lives, calls are given up after `time`.
  class Briefly {
   public:
    Briefly(TreeSession* session, base::Duration time) : session_(session) {
      session_->give_up_at_ = std::chrono::steady_clock::now() + time;
    }
    ~Briefly() { session_->give_up_at_.reset(); }
    Briefly(const Briefly&) = delete;
    Briefly& operator=(const Briefly&) = delete;

   private:
    TreeSession* const session_;
  };

 private:
  class OneWatch;
  class Observer;
  static constexpr std::size_t kNewsMax = 10'000;

  void Post(News news);  // any thread
  void Wake();
  // The session, if there is one, with its watches.
  void Drop();
  void ForgetEnded();

  coord::BlockingOptions options_;
  const Opener open_;
  std::string at_ = "/";
  std::optional<std::chrono::steady_clock::time_point> give_up_at_;
  std::atomic<bool> interrupted_ = false;
  std::atomic<bool> leaving_ = false;
  int news_fd_ = -1;

  base::Mutex mu_;
  std::vector<News> news_ ABSL_GUARDED_BY(mu_);
  std::size_t dropped_ ABSL_GUARDED_BY(mu_) = 0;

  std::unique_ptr<Observer> observer_;
  std::unique_ptr<coord::BlockingClient> core_;
  std::vector<std::unique_ptr<OneWatch>> watches_;
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TREE_SESSION_H_
