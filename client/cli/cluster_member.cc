// `drover cluster member ...` and `drover cluster transfer-leader`: who belongs to the coordination core while it runs, and who
// leads.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

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
constexpr base::Duration kPause = std::chrono::milliseconds(200);
constexpr base::Duration kLeastTimeout = std::chrono::milliseconds(10);

struct Flags {
  std::string member;  // ID, or ID=HOST:PORT
  base::Duration wait{};
};

base::Duration Left(Clock::time_point end, base::Duration most) {
  return std::clamp<base::Duration>(end - Clock::now(), kLeastTimeout, most);
}

// Speaks to whoever leads.
class Core {
 public:
  explicit Core(const App& app) : addresses_(app.globals.coord), end_(Clock::now() + app.globals.request_timeout) {}

  // Once nobody leads or answers for the time of a request: UNAVAILABLE, with the last reason. ABORTED is tried again until
  // `patient`.
  absl::StatusOr<coord::Members> Call(MemberCall call, std::uint64_t id, const std::string& address,
                                      Clock::time_point patient = {}) {
    absl::Status last;
    absl::Status said;  // by a leader, of the last try that it answered
    bool may_be_done = false;
    while (true) {
      const absl::StatusOr<std::string> leader = FindLeader();
      last = leader.status();
      if (leader.ok()) {
        if (call == MemberCall::kRemove && !may_be_done) was_there_ = Knows(id);
        absl::StatusOr<coord::Members> members = coord::CallMembership(*leader, call, id, address, Left(end_, kCallTimeout));
        // What was not there the second time had been removed by the first.
        if (absl::IsNotFound(members.status()) && call == MemberCall::kRemove && may_be_done && was_there_) return last_;
        const bool again = absl::IsUnavailable(members.status()) || absl::IsDeadlineExceeded(members.status());
        const bool not_now = absl::IsAborted(members.status());
        if (!again && (!not_now || Clock::now() >= patient)) return members;
        may_be_done = may_be_done || again;
        if (not_now) end_ = std::max(end_, Clock::now() + kCallTimeout);  // it answers, so there is somebody to wait for
        last = members.status();
        if (!absl::IsDeadlineExceeded(last)) said = last;
      }
      // Why it could not be done, which a leader has said, is more than that the time for another try was too short.
      if (Clock::now() >= end_) return absl::IsDeadlineExceeded(last) && !said.ok() ? said : last;
      client::SystemWaiter().Wait(kPause, {});
    }
  }

  // The address of the one that leads, as a member says that answers. UNAVAILABLE, naming those that were asked.
  absl::StatusOr<std::string> FindLeader() {
    client::Trail trail;
    for (const std::string& address : addresses_) {
      absl::StatusOr<coord::Members> members = coord::CallMembership(address, MemberCall::kList, 0, "", Left(end_, kListTimeout));
      if (!members.ok()) {
        trail.Add(address, members.status());
        continue;
      }
      trail.Add(address, absl::UnavailableError("it knows no leader"));
      last_ = *std::move(members);
      for (const coord::Member& member : last_.members) {
        if (member.id == last_.leader_id) return member.address;
      }
    }
    return absl::UnavailableError(absl::StrCat("no leader of the coordination core was found: ", trail.Describe()));
  }

 private:
  [[nodiscard]] bool Knows(std::uint64_t id) const {
    return std::any_of(last_.members.begin(), last_.members.end(), [id](const coord::Member& m) { return m.id == id; });
  }

  const std::vector<std::string> addresses_;
  Clock::time_point end_;
  coord::Members last_;
  bool was_there_ = false;
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
int Finish(const App& app, const absl::StatusOr<coord::Members>& members) {
  if (members.ok()) return Show(app, *members);
  if (absl::IsAborted(members.status())) return app.output.Fail(kRefused, members.status());
  return app.output.Fail(members.status());
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
  return Finish(app, core.Call(MemberCall::kList, 0, ""));
}

int Add(const App& app, const Flags& flags) {
  const absl::StatusOr<Target> target = ParseTarget(flags.member, true);
  if (!target.ok()) return app.output.Fail(target.status());
  if (target->address.empty()) return app.Usage(absl::StrCat("where is node ", target->id, "? Give ID=HOST:PORT"));
  Core core(app);
  return Finish(app, core.Call(MemberCall::kAdd, target->id, target->address));
}

int PromoteWithin(const App& app, Core* core, std::uint64_t id, base::Duration wait) {
  const absl::StatusOr<coord::Members> members = core->Call(MemberCall::kPromote, id, "", Clock::now() + wait);
  if (wait > base::Duration::zero() && absl::IsAborted(members.status())) return app.output.Fail(kTimedOut, members.status());
  return Finish(app, members);
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
  return Finish(app, core.Call(MemberCall::kRemove, target->id, ""));
}

// A learner's life between the two steps is short; if this command dies there, it may be given again.
int Readmit(const App& app, const Flags& flags) {
  const absl::StatusOr<Target> target = ParseTarget(flags.member, true);
  if (!target.ok()) return app.output.Fail(target.status());
  Core core(app);
  const absl::StatusOr<coord::Members> members = core.Call(MemberCall::kReadmit, target->id, target->address);
  if (!members.ok()) return Finish(app, members);
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
  return Finish(app, core.Call(MemberCall::kTransferLeader, target.id, ""));
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
  promote->Time("--wait", &promote_flags->wait, "How long it may take to catch up");
  add(&group, "remove", "Removes a member; its node ends", Remove, "ID", "The member");
  const auto [readmit, readmit_flags] =
      add(&group, "readmit", "Lets a member whose data directory was lost in again: removed, added as a learner, promoted", Readmit,
          "ID[=HOST:PORT]", "The member, and where it is now if it has moved");
  readmit_flags->wait = std::chrono::minutes(10);
  readmit->Time("--wait", &readmit_flags->wait, "How long it may take to catch up");
  add(cluster, "transfer-leader", "Hands leadership to another node", TransferLeader, "ID",
      "To whom; without it, to the one that has most of the log", false);
}

}  // namespace drover::cli
