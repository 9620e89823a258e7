#include "tests/sim/run/hooks.h"

#include "coord/base/hooks.h"

#ifdef DROVER_SIM
// The linker's names of the section that DROVER_PROBE fills.
extern "C" {
extern const char* const __start_drover_probes[];
extern const char* const __stop_drover_probes[];
}
#endif

namespace drover::sim::run {
namespace {

// A process runs one simulation.
std::string& Active() {
  static std::string* const active = new std::string;
  return *active;
}

std::set<std::string>& Hit() {
  static std::set<std::string>* const hit = new std::set<std::string>;
  return *hit;
}

}  // namespace

const std::vector<Breakage>& Breakages() {
  static const std::vector<Breakage>* const all = new std::vector<Breakage>{
#ifdef DROVER_SIM
      {"skip-fsync", "the log acknowledges what it has not synced"},
      {"forget-dir-sync", "a new segment's name is not synced"},
      {"cut-proven-frame", "recovery drops the last frame, whole or not"},
      {"truncate-loses-vote", "a write that truncates drops the term and the vote that come with it"},
      {"vote-twice", "a second vote in a term is given"},
      {"commit-old-term", "entries of earlier terms are committed by counting copies"},
      {"stale-read", "a read is served without a quorum round"},
      {"skip-readindex-noop", "a new leader serves reads before its no-op is committed"},
      {"no-prevote-log-check", "a pre-vote is granted whatever the log"},
      {"stale-match-index", "a write that was truncated since counts as durable"},
      {"answer-before-apply", "a read is answered before its index is applied"},
      {"expire-without-term", "an expiry counts whatever the term in which it was proposed"},
      {"ack-contact-without-quorum", "a contact is acknowledged without a quorum round"},
      {"forget-kept-answers", "a write that is sent again is applied again"},
      {"compact-past-receiver", "a leader drops entries that follow a snapshot which is on its way"},
      {"wiped-node-votes", "a machine that lost its disk is taken for the member it was"},
      {"strangers-cannot-ask", "who was readmitted while a member was away gets no vote of it"},
      {"change-before-noop", "a leader changes the members before its no-op is committed"},
      {"raise-level-early", "a leader raises the feature level when a majority has promised it"},
      {"install-keeps-conflict", "a snapshot counts as received where the log has an entry at its index, whatever its term"},
      {"snapshot-forgets-answers", "snapshots leave out the answers that clients have not seen"},
#endif
  };
  return *all;
}

void SetBreakage(const std::string& name) {
  Active() = name;
}

std::set<std::string> AllProbes() {
#ifdef DROVER_SIM
  return {__start_drover_probes, __stop_drover_probes};
#else
  return {};
#endif
}

const std::set<std::string>& ProbesHit() {
  return Hit();
}

}  // namespace drover::sim::run

#ifdef DROVER_SIM
namespace drover::base {

bool BreakActive(const char* name) {
  return sim::run::Active() == name;
}

void ProbeHit(const char* name) {
  sim::run::Hit().insert(name);
}

}  // namespace drover::base
#endif
