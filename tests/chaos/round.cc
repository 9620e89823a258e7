#include "tests/chaos/round.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "drover/coord/blocking.h"
#include "tests/chaos/client.h"
#include "tests/chaos/recorder.h"
#include "tests/chaos/truth.h"
#include "tests/chaos/watcher.h"

namespace drover::chaos {
namespace {

using std::chrono::milliseconds;
using Core = coord::BlockingClient;

absl::StatusOr<std::unique_ptr<Core>> Connect(const Arena& arena) {
  coord::BlockingOptions options;
  options.session.endpoints = arena.addresses();
  options.session.timeout = std::chrono::minutes(1);
  options.session.name = "chaos";
  options.call_timeout = std::chrono::minutes(2);
  return Core::Connect(options);
}

absl::StatusOr<base::Zxid> Make(Core* core, const std::string& path) {
  coord::CreateOptions how;
  how.parents = true;
  DROVER_ASSIGN_OR_RETURN(const coord::CreateResult made, core->Create(path, "", how));
  return made.zxid;
}

absl::Status DeleteTree(Core* core, const std::string& root) {
  DROVER_ASSIGN_OR_RETURN(std::vector<coord::Node> nodes, core->List(root));
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) DROVER_RETURN_IF_ERROR(core->Delete(node->path).status());
  return absl::OkStatus();
}

// Begins and ends what is planned when its time has come.
void CarryOut(Arena* arena, const std::vector<Strike>& plan, const std::function<void(const std::string&)>& progress) {
  struct Turn {
    milliseconds at;
    bool begins;
    const Strike* strike;
  };
  std::vector<Turn> turns;
  for (const Strike& strike : plan) {
    turns.push_back({strike.at, true, &strike});
    turns.push_back({strike.at + strike.duration, false, &strike});
  }
  std::stable_sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) {
    return std::pair(a.at, a.begins) < std::pair(b.at, b.begins);  // what ends makes room for what begins
  });
  const auto begin = std::chrono::steady_clock::now();
  for (const Turn& turn : turns) {
    std::this_thread::sleep_until(begin + turn.at);
    if (turn.begins) {
      std::ostringstream text;
      text << *turn.strike;
      progress(text.str());
      arena->Begin(*turn.strike);
    } else {
      arena->End(*turn.strike);
    }
    arena->CheckRunning();
  }
}

}  // namespace

absl::StatusOr<Verdict> HoldRound(Arena* arena, const RoundOptions& options,
                                  const std::function<void(const std::string&)>& progress) {
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<Core> core, Connect(*arena));
  Record record;
  record.root = absl::StrCat("/chaos/", options.number);
  DROVER_ASSIGN_OR_RETURN(record.begin, Make(core.get(), absl::StrCat(record.root, "/locks")));

  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < options.watchers; ++i) {
    DROVER_ASSIGN_OR_RETURN(std::unique_ptr<Watcher> watcher,
                            Watcher::Begin(arena->addresses(), static_cast<std::size_t>(i), record.root));
    watchers.push_back(std::move(watcher));
  }
  Recorder recorder;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < options.clients; ++i) {
    Client::Options client;
    client.addresses = arena->addresses();
    client.id = i + 1;
    client.seed = options.plan.seed * 1'000 + static_cast<std::uint64_t>(i);
    client.root = record.root;
    // Some of them lose their sessions by sleeping, some by broken links, and some by none of that.
    if (i % 3 == 1) {
      client.session_timeout = milliseconds(1'000);
      client.doze_one_in = 300;
    }
    if (i % 3 == 2) client.disconnect_grace = milliseconds(300);
    clients.push_back(std::make_unique<Client>(std::move(client), &recorder));
  }

  CarryOut(arena, PlanStrikes(options.plan), progress);
  arena->AwaitServing();
  for (const std::unique_ptr<Client>& client : clients) client->Stop();
  DROVER_ASSIGN_OR_RETURN(record.end, Make(core.get(), absl::StrCat(record.root, "/end")));

  std::vector<std::string> faults = recorder.faults();
  for (const std::unique_ptr<Watcher>& watcher : watchers) {
    if (!watcher->AwaitToldOf(record.end)) faults.push_back(absl::StrCat("a watcher was not told of the end; ", watcher->ended()));
    for (check::WatchTrace& trace : watcher->Traces()) record.watches.push_back(std::move(trace));
  }
  watchers.clear();
  record.operations = recorder.Operations();
  // What is acknowledged is on most disks; the one that is read must be one of them.
  arena->AwaitCaughtUp();
  const int stopped = options.number % arena->nodes();
  DROVER_ASSIGN_OR_RETURN(record.truth,
                          ReadTruth(arena->CopyOfData(stopped), base::NodeId(static_cast<std::uint64_t>(stopped) + 1)));
  arena->AwaitServing();
  DROVER_RETURN_IF_ERROR(DeleteTree(core.get(), record.root));

  Verdict verdict = Judge(record);
  verdict.faults.insert(verdict.faults.begin(), faults.begin(), faults.end());
  return verdict;
}

}  // namespace drover::chaos
