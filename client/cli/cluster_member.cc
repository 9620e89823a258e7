// `drover cluster member ...` and `drover cluster transfer-leader`: who belongs to the coordination core while it runs, and who
// leads.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/internal/retry.h"
#include "client/internal/waiter.h"
#include "coord/base/host_port.h"
#include "drover/coord/membership.h"

namespace drover::cli {
namespace {

using Clock = std::chrono::steady_clock;
using coord::MemberCall;

constexpr base::Duration kCallTimeout = std::chrono::seconds(15);  // longer than a leader waits for a node that is to be added
constexpr base::Duration kListTimeout = std::chrono::seconds(3);
constexpr base::Duration kChangePause = std::chrono::milliseconds(200);
constexpr base::Duration kCallTimeoutMin = std::chrono::milliseconds(10);

struct Flags {
  std::string member;  // ID, or ID=HOST:PORT
  base::Duration wait{};
};

base::Duration Left(Clock::time_point end, base::Duration most) {
  return std::clamp<base::Duration>(end - Clock::now(), kCallTimeoutMin, most);
}

// What came of a change.
struct Outcome {
  absl::Status status;
  absl::StatusOr<coord::Members> members;  // as whoever leads afterwards says; not OK: nobody told in time
};

const coord::Member* Find(const coord::Members& members, std::uint64_t id) {
  const auto found =
      std::find_if(members.members.begin(), members.members.end(), [id](const coord::Member& m) { return m.id == id; });
  return found == members.members.end() ? nullptr : &*found;
}

// Nobody has answered, or only one that cannot know: another one may.
bool IsUnanswered(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

// In the node's own words, or since nobody was reached.
bool SaysThatNothingWasDone(const absl::Status& status) {
  return absl::StrContains(status.message(), "nothing was done") || absl::StartsWith(status.message(), "cannot connect");
}

// Speaks to whoever leads: by the word of the nodes that the options name, and then of the members that those tell of.
class Core {
 public:
  explicit Core(const App& app) : addresses_(app.globals.coord), end_(Clock::now() + app.globals.request_timeout) {}

  // UNAVAILABLE, DEADLINE_EXCEEDED: nobody led, or answered, for the time of a request; with the last reason.
  absl::StatusOr<coord::Members> List() { return Call(MemberCall::kListByLeader, 0, "", {}); }

  // ABORTED is tried again until `patient`; else as List.
  Outcome Change(MemberCall call, std::uint64_t id, const std::string& address, Clock::time_point patient = {}) {
    absl::StatusOr<coord::Members> answer = Call(call, id, address, patient);
    if (!answer.ok()) return {answer.status(), answer.status()};
    // A leader that is removed, or hands over, knows no more of the others when it answers.
    if (answer->leader_id != 0 && answer->leader_id == answered_by_) return {absl::OkStatus(), std::move(answer)};
    return {absl::OkStatus(), List()};
  }

  // The members before the first change was asked for, as some node knew them.
  [[nodiscard]] const coord::Members& before() const { return before_; }

 private:
  absl::StatusOr<coord::Members> Call(MemberCall call, std::uint64_t id, const std::string& address, Clock::time_point patient) {
    const bool changes = call != MemberCall::kListByLeader;
    absl::Status said;    // by a leader, of the last try that it answered
    bool tried = false;   // to no end that is known
    bool unsure = false;  // it may be done
    while (true) {
      absl::StatusOr<coord::Members> members = AskLeaders(call, id, address);
      // What was not there the second time had been removed by the first.
      const bool removed = call == MemberCall::kRemove && tried && absl::IsNotFound(members.status());
      if (removed && Find(before_, id) != nullptr) return coord::Members();
      const bool again = IsUnanswered(members.status());
      const bool not_now = absl::IsAborted(members.status());
      if (!again && (!not_now || Clock::now() >= patient)) return members;
      tried = tried || (again && asked_);
      unsure = unsure || (again && asked_ && !SaysThatNothingWasDone(members.status()));
      if (not_now) end_ = std::max(end_, Clock::now() + kCallTimeout);  // it answers, so there is somebody to wait for
      absl::Status last = members.status();
      if (asked_ && !absl::IsDeadlineExceeded(last)) said = last;
      if (Clock::now() >= end_) {
        // Why it could not be done, which a leader has said, is more than that the time for another try was too short.
        if (absl::IsDeadlineExceeded(last) && !said.ok()) last = said;
        if (!changes || !unsure || (asked_ && SaysThatNothingWasDone(last))) return last;
        return absl::Status(last.code(), absl::StrCat(last.message(),
                                                      "; it may be done all the same: drover cluster member list shows "
                                                      "it as soon as a leader answers"));
      }
      client::SystemWaiter().Wait(kChangePause, {});
    }
  }

  // One that leads no longer, and does not know it or does, is passed over as long as somebody names another one. UNAVAILABLE or
  // DEADLINE_EXCEEDED: the last one's word; or nobody was asked, and those that know no leader are named.
  absl::StatusOr<coord::Members> AskLeaders(MemberCall call, std::uint64_t id, const std::string& address) {
    client::Trail trail;
    std::set<std::string> asked;
    absl::Status last;
    for (const std::string& node : Everybody()) {
      const absl::StatusOr<coord::Members> known = coord::CallMembership(node, MemberCall::kList, 0, "", Left(end_, kListTimeout));
      if (!known.ok()) {
        trail.Add(node, known.status());
        continue;
      }
      if (cluster_ != 0 && known->cluster_id != cluster_) {
        trail.Add(node, absl::UnavailableError(absl::StrCat("it is of another cluster, ", known->cluster_id)));
        continue;
      }
      cluster_ = known->cluster_id;
      for (const coord::Member& member : known->members) heard_of_.insert(member.address);
      const coord::Member* const leader = Find(*known, known->leader_id);
      if (leader == nullptr) {
        trail.Add(node, absl::UnavailableError("it knows no leader"));
        continue;
      }
      if (!asked.insert(leader->address).second) continue;
      if (before_.members.empty()) before_ = *known;
      absl::StatusOr<coord::Members> members = AskLeader(*leader, call, id, address);
      if (!IsUnanswered(members.status())) {
        asked_ = true;
        return members;
      }
      last = members.status();
    }
    asked_ = !asked.empty();
    if (asked_) return last;
    return absl::UnavailableError(absl::StrCat("no leader of the coordination core was found: ", trail.Describe()));
  }

  absl::StatusOr<coord::Members> AskLeader(const coord::Member& leader, MemberCall call, std::uint64_t id,
                                           const std::string& address) {
    const bool lists = call == MemberCall::kListByLeader;
    absl::StatusOr<coord::Members> members =
        coord::CallMembership(leader.address, call, id, address, Left(end_, lists ? kListTimeout : kCallTimeout));
    answered_by_ = leader.id;
    if (lists && members.ok() && members->leader_id != leader.id) {
      return absl::UnavailableError(absl::StrCat("node ", leader.id, " at ", leader.address, " leads no longer"));
    }
    return members;
  }

  [[nodiscard]] std::vector<std::string> Everybody() const {
    std::vector<std::string> all = addresses_;
    for (const std::string& address : heard_of_) {
      if (std::find(addresses_.begin(), addresses_.end(), address) == addresses_.end()) all.push_back(address);
    }
    return all;
  }

  const std::vector<std::string> addresses_;
  Clock::time_point end_;
  std::uint64_t cluster_ = 0;       // of the first one that answered: nobody else's word counts
  std::set<std::string> heard_of_;  // addresses of members
  coord::Members before_;
  bool asked_ = false;  // somebody that leads, by the word of another, in the last round
  std::uint64_t answered_by_ = 0;
};

int Show(const App& app, const coord::Members& members) {
  std::vector<Item> items;
  for (const coord::Member& m : members.members) {
    const bool leads = m.id == members.leader_id;
    const std::string role = leads ? "leader" : m.voter ? "follower" : "learner";
    Item item;
    item.id = absl::StrCat(m.id);
    item.json = {{"id", m.id},       {"address", m.address}, {"role", role},
                 {"voter", m.voter}, {"lag", m.lag_entries}, {"silent_ms", m.silent_ms}};
    item.cells = {item.id, m.address, role, leads ? "-" : absl::StrCat(m.lag_entries),
                  leads ? "-" : absl::StrCat(m.silent_ms, "ms")};
    items.push_back(std::move(item));
  }
  app.output.List({"NODE", "ADDRESS", "ROLE", "LAG", "SILENT"}, items);
  return kOk;
}

// "Not now" is a refusal to a script: nothing was done, and the words say why.
int Fail(const App& app, const absl::Status& status) {
  return absl::IsAborted(status) ? app.output.Fail(kRefused, status) : app.output.Fail(status);
}

int Finish(const App& app, const Outcome& outcome) {
  if (!outcome.status.ok()) return Fail(app, outcome.status);
  if (outcome.members.ok()) return Show(app, *outcome.members);
  app.output.Note(absl::StrCat("it is done; who the members are now was not told (", outcome.members.status().message(),
                               "): drover cluster member list shows it as soon as a leader answers"));
  return kOk;
}

struct Target {
  std::uint64_t id = 0;
  std::string address;
};
absl::StatusOr<Target> ParseTarget(const std::string& text, bool address) {
  Target target;
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
  const bool has_address = text.find('=') != std::string::npos;
  if (!absl::SimpleAtoi(parts.first, &target.id) || target.id == 0 || (has_address && !address)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not ", address ? "ID=HOST:PORT, like 4=core-4:7400" : "a node's id"));
  }
  if (!has_address) return target;
  const absl::StatusOr<base::HostPort> parsed = base::ParseHostPort(parts.second);
  if (!parsed.ok()) return parsed.status();
  target.address = parts.second;
  return target;
}

int List(const App& app) {
  Core core(app);
  const absl::StatusOr<coord::Members> members = core.List();
  return members.ok() ? Show(app, *members) : Fail(app, members.status());
}

int Add(const App& app, const Flags& flags) {
  const absl::StatusOr<Target> target = ParseTarget(flags.member, true);
  if (!target.ok()) return app.output.Fail(target.status());
  if (target->address.empty()) return app.Usage(absl::StrCat("where is node ", target->id, "? Give ID=HOST:PORT"));
  Core core(app);
  return Finish(app, core.Change(MemberCall::kAdd, target->id, target->address));
}

int PromoteWithin(const App& app, Core* core, std::uint64_t id, base::Duration wait) {
  const Outcome outcome = core->Change(MemberCall::kPromote, id, "", Clock::now() + wait);
  if (wait > base::Duration::zero() && absl::IsAborted(outcome.status)) return app.output.Fail(kTimedOut, outcome.status);
  return Finish(app, outcome);
}

int Promote(const App& app, const Flags& flags) {
  const absl::StatusOr<Target> target = ParseTarget(flags.member, false);
  if (!target.ok()) return app.output.Fail(target.status());
  Core core(app);
  return PromoteWithin(app, &core, target->id, flags.wait);
}

int Remove(const App& app, const Flags& flags) {
  const absl::StatusOr<Target> target = ParseTarget(flags.member, false);
  if (!target.ok()) return app.output.Fail(target.status());
  Core core(app);
  return Finish(app, core.Change(MemberCall::kRemove, target->id, ""));
}

// It was a voter with the same data directory before; empty if it was not, or nobody knows.
std::string NothingToReadmit(const coord::Members& before, const absl::StatusOr<coord::Members>& after, std::uint64_t id) {
  const coord::Member* const was = Find(before, id);
  const coord::Member* const is = after.ok() ? Find(*after, id) : nullptr;
  if (was == nullptr || is == nullptr || !was->voter || !is->voter || was->incarnation != is->incarnation) return "";
  return absl::StrCat("node ", id, " is a member with its own data directory", after->leader_id == id ? ", and leads" : "",
                      ": there was nothing to readmit");
}

// A learner's life between the two steps is short; if this command dies there, it may be given again.
int Readmit(const App& app, const Flags& flags) {
  const absl::StatusOr<Target> target = ParseTarget(flags.member, true);
  if (!target.ok()) return app.output.Fail(target.status());
  Core core(app);
  const Outcome outcome = core.Change(MemberCall::kReadmit, target->id, target->address);
  if (!outcome.status.ok()) return Fail(app, outcome.status);
  if (const std::string why = NothingToReadmit(core.before(), outcome.members, target->id); !why.empty()) {
    app.output.Note(why);
    return Finish(app, outcome);
  }
  return PromoteWithin(app, &core, target->id, flags.wait);
}

int TransferLeader(const App& app, const Flags& flags) {
  Target target;
  if (!flags.member.empty()) {
    const absl::StatusOr<Target> given = ParseTarget(flags.member, false);
    if (!given.ok()) return app.output.Fail(given.status());
    target = *given;
  }
  Core core(app);
  return Finish(app, core.Change(MemberCall::kTransferLeader, target.id, ""));
}

}  // namespace

void AddClusterMemberCommands(process::OptionSet* cluster, Commands* commands) {
  process::OptionSet& group = cluster->Command("member", "Who belongs to the coordination core");
  const auto add = [commands](process::OptionSet* set, const char* name, const char* summary, int (*run)(const App&, const Flags&),
                              const char* argument, const char* help, bool required = true) {
    process::OptionSet& options = set->Command(name, summary);
    const auto flags = std::make_shared<Flags>();
    options.Argument(argument, &flags->member, help, required);
    commands->push_back({&options, [flags, run](const App& app) { return run(app, *flags); }});
    return std::pair(&options, flags);
  };
  commands->push_back({&group.Command("list", "Lists the members, as the leader knows them"), List});
  add(&group, "add", "Adds a node, started with --join on an empty directory, as a learner; or says where a member is now", Add,
      "ID=HOST:PORT", "The node");
  const auto [promote, promote_flags] =
      add(&group, "promote", "Makes a learner that has caught up a voter", Promote, "ID", "The learner");
  promote->Time("--wait", &promote_flags->wait, "How long it may take to catch up, once its node answers (--request-timeout)");
  add(&group, "remove", "Removes a member; its node ends", Remove, "ID", "The member");
  const auto [readmit, readmit_flags] =
      add(&group, "readmit", "Lets a member whose data directory was lost in again: removed, added as a learner, promoted", Readmit,
          "ID[=HOST:PORT]", "The member, and where it is now if it has moved");
  readmit_flags->wait = std::chrono::minutes(10);
  readmit->Time("--wait", &readmit_flags->wait, "How long it may take to catch up, once its node answers (--request-timeout)");
  add(cluster, "transfer-leader", "Hands leadership to another node", TransferLeader, "ID",
      "To whom; without it, to the one that has most of the log", false);
}

}  // namespace drover::cli
