#include "tests/sim/run/simulation.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/check/linearizability.h"
#include "tests/sim/run/absence.h"
#include "tests/sim/run/client.h"
#include "tests/sim/run/faults.h"
#include "tests/sim/run/journal.h"
#include "tests/sim/run/machines.h"
#include "tests/sim/run/progress.h"
#include "tests/sim/run/rescue.h"
#include "tests/sim/run/witness.h"

namespace drover::sim::run {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// After everything has healed.
constexpr base::Duration kRestWithin = seconds(30);

class Simulation {
 public:
  Simulation(const Plan& plan, bool trace)
      : plan_(plan),
        world_(plan.seed),
        network_(&world_, {.latency_min = plan.latency_min, .latency_max = plan.latency_max}),
        journal_(&world_, trace),
        witness_(&world_, &history_, plan.options.tree),
        machines_(&world_, &network_, &journal_, &witness_, plan),
        progress_(&world_, &network_, &journal_, &machines_, &witness_, plan),
        faults_(&world_, &network_, &journal_, &machines_, &clients_, plan) {
    for (int id = 1; id <= plan.clients; ++id) {
      clients_.push_back(std::make_unique<Client>(&world_, &network_, &journal_, &history_, &witness_, plan_, id));
    }
  }

  Outcome Run() {
    const base::Instant began = world_.Now();
    Begin();
    if (!journal_.failed()) Load();
    if (!journal_.failed()) Rest();
    if (!journal_.failed()) Judge();
    if (!journal_.failed()) RecoverByForce();
    Outcome outcome;
    outcome.verdict = journal_.failure();
    journal_.Note("end: ", world_.events_run(), " events, ", network_.frames_delivered(), " frames, state ",
                  witness_.state().Digest());
    outcome.digest = journal_.digest();
    outcome.simulated = world_.Now() - began;
    outcome.events = world_.events_run();
    outcome.frames = network_.frames_delivered();
    outcome.entries = witness_.last().value;
    for (const auto& client : clients_) outcome.answers += client->answers();
    outcome.faults = faults_.counts();
    return outcome;
  }

 private:
  bool Until(const std::function<bool()>& condition, base::Duration limit) {
    return world_.RunUntil([&] { return journal_.failed() || condition(); }, limit) && !journal_.failed();
  }
  void Fail(const std::string& words) { journal_.Fail(absl::InternalError(words)); }
  [[nodiscard]] std::string Everybody() const {
    std::string text = machines_.Text();
    for (const auto& client : clients_) absl::StrAppend(&text, "; ", client->Text());
    return text;
  }

  void Begin() {
    journal_.Note(plan_.Text());
    for (int id = 1; id <= plan_.nodes; ++id) machines_.Start(id);
    for (const auto& client : clients_) client->Begin();
    Sample();
    // Half of the runs meet their faults while the cluster forms.
    if (plan_.seed % 2 == 0) faults_.Begin();
    const auto made = [this] {
      clients_.front()->MakeParents();
      return clients_.front()->parents_made();
    };
    if (!Until(made, plan_.duration) && !journal_.failed()) {
      faults_.Heal();
      if (!Until(made, kRestWithin) && !journal_.failed()) Fail(absl::StrCat("the cluster does not begin to work", Everybody()));
      faults_.Begin();
    } else if (plan_.seed % 2 != 0) {
      faults_.Begin();
    }
  }

  void Load() {
    for (const auto& client : clients_) client->StartLoad();
    static_cast<void>(Until([] { return false; }, plan_.duration));
    Absence absence(&network_, &journal_, &machines_, &faults_, &clients_, &witness_, plan_,
                    [this](const std::function<bool()>& condition, base::Duration limit) { return Until(condition, limit); });
    if (plan_.absences > 0) absence.Prepare();
    for (int i = 0; i < plan_.absences && !journal_.failed(); ++i) absence.Run();
    for (const auto& client : clients_) client->StopLoad();
  }

  void Sample() {
    for (const auto& client : clients_) client->Sample();
    machines_.Sample();
    if (!judged_) progress_.Sample();
    world_.Schedule(nullptr, milliseconds(20), [this] { Sample(); });
  }

  void Rest() {
    journal_.Note("everything heals");
    faults_.Heal();
    healed_ = world_.Now();
    const bool idle = Until(
        [&] {
          for (const auto& client : clients_) client->Probe();
          return std::all_of(clients_.begin(), clients_.end(), [](const auto& c) {
            return c->Idle() && c->probe().has_value() && c->probe()->committed.has_value();
          });
        },
        kRestWithin);
    if (journal_.failed()) return;
    if (!idle)
      return Fail(absl::StrCat("calls are not answered ", base::ToMillis(kRestWithin), " ms after all has healed", Everybody()));
    // What nobody keeps ends.
    base::Duration longest{};
    for (const auto& client : clients_) {
      for (const Client::Tale& tale : client->tales()) {
        if (tale.life.last_sign) longest = std::max(longest, tale.life.timeout);
      }
    }
    const base::Instant quiet = QuietSince();
    const base::Duration patience = longest + seconds(4) + plan_.DrainTime();
    static_cast<void>(Until([&] { return world_.Now() >= quiet + patience; }, patience + seconds(36)));
    for (const auto& client : clients_) client->Settle();
    const bool settled = Until(
        [this] { return std::all_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->settled(); }); }, seconds(10));
    if (!settled && !journal_.failed()) return Fail(absl::StrCat("the clients do not settle", Everybody()));
    // Entries with nothing but the time go on, so rest is a moment.
    if (!Until([this] { return machines_.AtRest(); }, seconds(10)) && !journal_.failed()) {
      Fail(absl::StrCat("the nodes do not come to rest at ", witness_.last().value, Everybody()));
    }
  }

  [[nodiscard]] base::Instant QuietSince() const { return std::max({healed_, machines_.calm(), machines_.last_election()}); }

  void Judge() {
    judged_ = true;
    journal_.Fail(machines_.CheckAtRest());
    journal_.Fail(check::CheckEventLog(witness_.events()));
    journal_.Fail(check::CheckEphemerals(witness_.events(), witness_.Spans()));
    std::vector<check::EffectiveWrite> acknowledged;
    std::vector<check::Probe> probes;
    for (const auto& client : clients_) {
      if (client->probe()) probes.push_back(*client->probe());
      for (const Client::Tale& tale : client->tales()) {
        acknowledged.insert(acknowledged.end(), tale.acknowledged.begin(), tale.acknowledged.end());
        journal_.Fail(check::CheckSessionOrder(tale.order));
        for (const check::WatchTrace& watch : tale.watches) journal_.Fail(check::CheckWatchStream(witness_.events(), watch));
        JudgeLife(tale.life);
      }
    }
    journal_.Fail(check::CheckAcknowledged(witness_.writes(), acknowledged));
    journal_.Fail(check::CheckLiveness(probes, healed_, kRestWithin, world_.Now()));
    journal_.Fail(check::ToStatus(check::CheckLinearizability(Outcomes())));
  }

  void RecoverByForce() {
    std::vector<int> ids;
    // A node may apply what its own disk does not have yet.
    const coord::raft::Index last = witness_.last();
    const auto durable = [&] {
      ids.clear();
      for (int id = 1; id <= machines_.size(); ++id) {
        if (machines_.HasState(id) && machines_.node(id)->raft().Inspect().durable >= last) ids.push_back(id);
      }
      return !ids.empty();
    };
    if (!Until(durable, seconds(10)) && !journal_.failed()) return Fail("no disk has what was committed at rest");
    if (journal_.failed()) return;
    const int id = ids[plan_.seed % ids.size()];
    const base::ClusterId old = machines_.node(id)->raft().options().cluster;
    Rescue rescue(&world_, &network_, &journal_, plan_, id, machines_.node(id)->state().last_zxid(),
                  machines_.files(id).Copy(plan_.seed));
    machines_.Retire(id);
    journal_.Fail(rescue.Recover());
    if (journal_.failed()) return;
    journal_.Fail(rescue.Start());
    const auto serves = [&rescue] {
      rescue.Poll();
      return rescue.serves();
    };
    if (!Until(serves, seconds(20)) && !journal_.failed()) return Fail("what was recovered by force does not serve");
    // Those that were lost talk to it meanwhile.
    static_cast<void>(Until([] { return false; }, seconds(5)));
    journal_.Fail(rescue.Check(witness_.state(), old));
  }

  // Of a write whose outcome its client never learnt the log tells it: one that is not there never took effect and never will.
  [[nodiscard]] std::vector<check::Operation> Outcomes() const {
    std::map<std::pair<base::SessionId, std::uint64_t>, base::Zxid> effective;
    for (const check::EffectiveWrite& write : witness_.writes()) effective[{write.session, write.number}] = write.zxid;
    std::map<std::size_t, base::Zxid> known;
    for (const auto& client : clients_) {
      for (const Client::Tale& tale : client->tales()) {
        for (const auto& [operation, number] : tale.recorded_writes) {
          const auto found = effective.find({tale.order.session, number});
          if (found != effective.end()) known[operation] = found->second;
        }
      }
    }
    const std::vector<check::Operation> all = history_.operations();
    std::vector<check::Operation> history;
    for (std::size_t i = 0; i < all.size(); ++i) {
      check::Operation operation = all[i];
      if (!operation.returned) {
        const auto effect = known.find(i);
        if (effect == known.end()) continue;
        operation.zxid = effect->second;
      }
      history.push_back(std::move(operation));
    }
    return history;
  }

  void JudgeLife(check::SessionLife life) {
    const auto found = witness_.sessions().find(life.session);
    if (found == witness_.sessions().end())
      return Fail(absl::StrCat("session ", life.session.value, " was granted and is in no log"));
    life.ended = found->second.ended;
    life.reason = found->second.reason;
    check::LifeBounds bounds;
    bounds.clock_error_ppm = 2 * plan_.rate_ppm_max;
    bounds.end_within = seconds(2) + plan_.DrainTime();
    journal_.Fail(check::CheckNotExpiredEarly(life, bounds));
    journal_.Fail(check::CheckEndsInTime(life, bounds, QuietSince(), world_.Now()));
  }

  const Plan plan_;
  SimWorld world_;
  SimNetwork network_;
  Journal journal_;
  check::History history_;
  Witness witness_;
  Machines machines_;
  Progress progress_;
  std::vector<std::unique_ptr<Client>> clients_;
  Faults faults_;
  base::Instant healed_;
  bool judged_ = false;
};

}  // namespace

Outcome RunSeed(const Plan& plan, bool trace) {
  Simulation simulation(plan, trace);
  return simulation.Run();
}

}  // namespace drover::sim::run
