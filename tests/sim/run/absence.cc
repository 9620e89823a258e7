#include "tests/sim/run/absence.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "tests/sim/run/progress.h"

namespace drover::sim::run {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Absence::Absence(SimNetwork* network, Journal* journal, Machines* machines, Faults* faults,
                 std::vector<std::unique_ptr<Client>>* clients, const Witness* witness, const Plan& plan, Until until)
    : network_(network),
      journal_(journal),
      machines_(machines),
      faults_(faults),
      clients_(clients),
      witness_(witness),
      plan_(plan),
      until_(std::move(until)),
      random_(plan.seed * 5 + 4) {}

bool Absence::IsAway(int id) const {
  return std::count(away_.begin(), away_.end(), id) > 0;
}

void Absence::Prepare() {
  faults_->Calm();
  if (plan_.spares == 0) return;
  const std::size_t wanted = std::min<std::size_t>(4 + random_.Below(2), static_cast<std::size_t>(machines_->size()));
  for (int i = 0; i < 50 && machines_->Voters().size() < wanted && !journal_->failed(); ++i) {
    machines_->ChangeMembers(machines_->Leader(), &random_, wanted);
    static_cast<void>(until_([] { return false; }, milliseconds(200)));
  }
}

void Absence::Run() {
  std::vector<int> next = Choose();
  faults_->Calm();
  away_ = std::move(next);
  for (const int id : away_) SendAway(id);
  journal_->Note("away: ", absl::StrJoin(away_, ", "));
  const coord::raft::Index before = witness_->last();
  Hurry();
  const auto goes_on = [this, before] {
    const int leader = machines_->Leader();
    return leader != 0 && !IsAway(leader) && witness_->last() > before;
  };
  if (!until_(goes_on, (Progress::kElectionTimeouts + 2) * plan_.options.raft.election_timeout)) return;
  readmitted_ = 0;
  if (plan_.spares > 0 && random_.Below(4) > 0) Readmit();
  if (readmitted_ != 0 || random_.Below(2) == 0) LeaveBehind();
}

std::vector<int> Absence::Choose() {
  std::vector<int> voters = machines_->Voters();
  const std::size_t most = voters.empty() ? 0 : (voters.size() - 1) / 2;
  for (std::size_t i = voters.size(); i > 1; --i) std::swap(voters[i - 1], voters[random_.Below(i)]);
  const int leader = machines_->Leader();
  const auto last = [this](int id) { return machines_->node(id) == nullptr ? 0 : machines_->node(id)->raft().log().last().value; };
  // Whose disk is lost does not count on anybody's side.
  const bool by_log = random_.Below(4) > 0;
  std::stable_sort(voters.begin(), voters.end(), [&](int a, int b) {
    if (machines_->lost(a) != machines_->lost(b)) return machines_->lost(a);
    if (!by_log) return false;
    if ((a == readmitted_) != (b == readmitted_)) return b == readmitted_;
    return (a == leader) != (b == leader) ? a == leader : last(a) > last(b);
  });
  const bool all = random_.Below(2) == 0;
  voters.resize(all || most == 0 ? most : 1 + random_.Below(most));
  return voters;
}

void Absence::SendAway(int id) {
  const auto silence = [this, id](bool from, bool to) {
    for (int other = 1; other <= machines_->size(); ++other) {
      if (other == id) continue;
      if (from) network_->Cut(Machines::Host(id), Machines::Host(other));
      if (to) network_->Cut(Machines::Host(other), Machines::Host(id));
    }
  };
  switch (random_.Below(5)) {
    case 0:
      return machines_->Crash(id, Survival::kEverything, hours(1));
    case 1:
      return machines_->PowerOff(id, Survival::kRandom, hours(1));
    case 2:
      if (machines_->running(id)) machines_->loop(id)->Pause();
      return;
    case 3:
      return silence(true, true);
    default: {
      const bool speaks = random_.Below(2) == 0;
      return silence(!speaks, speaks);
    }
  }
}

int Absence::Other() {
  std::vector<int> others = machines_->Voters();
  std::erase_if(others, [this](int id) { return IsAway(id) || id == machines_->Leader() || !machines_->Works(id); });
  return others.empty() ? 0 : others[random_.Below(others.size())];
}

void Absence::Readmit() {
  const int id = Other();
  const base::Duration down_for = milliseconds(10 + random_.Below(500));
  if (id == 0 || !until_([&] { return machines_->LoseAndReadmit(id, down_for); }, seconds(2))) return;
  base::Duration patience = seconds(15);
  const auto is_voter = [this, id] { return !machines_->lost(id) && machines_->Works(id); };
  while (patience > base::Duration::zero() && !until_(is_voter, milliseconds(200)) && !journal_->failed()) {
    patience -= milliseconds(200);
    const int leader = machines_->Leader();
    if (leader != 0 && !machines_->lost(id)) machines_->AskPromotion(leader, id);
  }
  if (is_voter()) readmitted_ = id;
}

void Absence::LeaveBehind() {
  const int id = Other();
  if (id == 0 || id == readmitted_) return;
  for (int other = 1; other <= machines_->size(); ++other) {
    if (other != id) network_->CutPair(Machines::Host(id), Machines::Host(other));
  }
  journal_->Note("node ", id, " is left behind");
  const coord::raft::Index before = witness_->last();
  Hurry();
  static_cast<void>(until_([&] { return witness_->last() > before; }, milliseconds(50 + random_.Below(500))));
}

void Absence::Hurry() {
  for (const auto& client : *clients_) client->Hurry(4);
}

}  // namespace drover::sim::run
