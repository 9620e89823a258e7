#include "tests/scenarios/script.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace drover::scenarios {
namespace {

constexpr base::Duration kHealingMax = std::chrono::seconds(60);

absl::Status At(int line, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(line, ": ", status.message()));
}

}  // namespace

absl::Status Script::Run(const std::string& text) {
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (at_line_) at_line_(number);
    const absl::Status ok = RunLine(std::string(line));
    if (!ok.ok())
      return At(number, absl::Status(ok.code(), absl::StrCat("`", Words(std::string(line)).text(), "`: ", ok.message())));
  }
  if (!started_) return At(number, absl::InvalidArgumentError("nothing was started"));
  if (!heals_) return absl::OkStatus();
  if (at_line_) at_line_(number + 1);
  const absl::Status healed = cluster_.Converge(kHealingMax);
  if (healed.ok()) return healed;
  return At(number, absl::Status(healed.code(), absl::StrCat("after the last line, while all heals: ", healed.message())));
}

absl::Status Script::RunLine(const std::string& line) {
  Words words(line);
  if (!words.more()) return absl::OkStatus();
  refusal_ = absl::OkStatus();
  absl::Status ok = RunVerb(&words);
  if (ok.ok() && !refusal_.ok()) ok = refusal_;
  // A broken invariant says more than what follows from it.
  const absl::Status sound = cluster_.Check();
  return sound.ok() ? ok : sound;
}

absl::Status Script::RunVerb(Words* words) {
  static const std::map<std::string, Verb> before = {
      {"option", &Script::Option}, {"log", &Script::Log},     {"hard-state", &Script::HardState},
      {"known", &Script::Known},   {"start", &Script::Start}, {"no-heal", &Script::NoHeal},
  };
  static const std::map<std::string, Verb> after = {
      {"join", &Script::Join},
      {"no-heal", &Script::NoHeal},
      {"tick", &Script::Tick},
      {"lapse", &Script::Lapse},
      {"campaign", &Script::Campaign},
      {"elect", &Script::Elect},
      {"run", &Script::RunTime},
      {"propose", &Script::Propose},
      {"expire", &Script::Expire},
      {"conf-change", &Script::ConfChange},
      {"transfer", &Script::Transfer},
      {"read-index", &Script::ReadIndex},
      {"refused", &Script::Refused},
      {"crash", &Script::Crash},
      {"restart", &Script::Restart},
      {"wipe", &Script::Wipe},
      {"roll-back", &Script::RollBack},
      {"scrap", &Script::Scrap},
      {"compact", &Script::Compact},
      {"install", &Script::Install},
      {"stall", &Script::Stall},
      {"unstall", &Script::Unstall},
      {"persist", &Script::Persist},
      {"stale", &Script::Stale},
      {"busy", &Script::Busy},
      {"idle", &Script::Idle},
      {"hold-reads", &Script::HoldReads},
      {"answer-reads", &Script::AnswerReads},
      {"release-reads", &Script::ReleaseReads},
      {"deliver", &Script::Deliver},
      {"settle", &Script::Settle},
      {"drop", &Script::Drop},
      {"duplicate", &Script::Duplicate},
      {"reorder", &Script::Reorder},
      {"delay", &Script::Delay},
      {"late", &Script::Late},
      {"partition", &Script::Partition},
      {"cut", &Script::Cut},
      {"heal", &Script::Heal},
      {"reset", &Script::Reset},
      {"count", &Script::Count},
      {"expect", &Script::Expect},
  };
  const std::string name = words->Word();
  const auto& verbs = started_ ? after : before;
  const auto verb = verbs.find(name);
  if (verb != verbs.end()) return (this->*verb->second)(words);
  const bool misplaced = (started_ ? before : after).contains(name);
  return absl::InvalidArgumentError(absl::StrCat("'", name, "' ",
                                                 !misplaced ? "is no action"
                                                 : started_ ? "must stand before the start"
                                                            : "must stand after the start"));
}

absl::Status Script::Get(base::NodeId id, Machine** machine) {
  *machine = cluster_.Find(id);
  if (*machine != nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("there is no node n", id.value));
}

absl::Status Script::GetUp(base::NodeId id, Machine** machine) {
  absl::Status ok = Get(id, machine);
  if (!ok.ok() || (*machine)->raft) return ok;
  return absl::InvalidArgumentError(absl::StrCat("n", id.value, " is down"));
}

absl::Status Script::GetDown(base::NodeId id, Machine** machine) {
  absl::Status ok = Get(id, machine);
  if (!ok.ok() || !(*machine)->raft) return ok;
  return absl::InvalidArgumentError(absl::StrCat("n", id.value, " is running"));
}

absl::Status Script::Each(std::optional<base::NodeId> id, const std::function<absl::Status(Machine*)>& act) {
  if (id) {
    Machine* machine = nullptr;
    absl::Status ok = GetUp(*id, &machine);
    return ok.ok() ? act(machine) : ok;
  }
  for (auto& [node, machine] : cluster_.machines()) {
    if (!machine.raft) continue;
    const absl::Status ok = act(&machine);
    if (!ok.ok()) return absl::Status(ok.code(), absl::StrCat("n", node.value, ": ", ok.message()));
  }
  return absl::OkStatus();
}

}  // namespace drover::scenarios
