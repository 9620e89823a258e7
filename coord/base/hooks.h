// Hooks of the simulator: deliberate breakages ("mutants"), by which it is tested itself, and probes in rare branches, by which it
// tells what it never reached. Both exist only in the simulator's own copy of the rooms (compiled with DROVER_SIM); everywhere else
// a breakage is the constant false and a probe nothing at all, so release binaries do not even hold their names.
#ifndef DROVER_COORD_BASE_HOOKS_H_
#define DROVER_COORD_BASE_HOOKS_H_

#ifdef DROVER_SIM

namespace drover::base {

// Defined by the simulator. `name` is a literal.
bool BreakActive(const char* name);
void ProbeHit(const char* name);

}  // namespace drover::base

#define DROVER_BREAK(name) (::drover::base::BreakActive(name))
// The names of all probes lie in a section of their own, where the simulator finds also those that were never hit. Not for inline
// functions and templates.
#define DROVER_PROBE(name)                                                                          \
  do {                                                                                              \
    [[gnu::section("drover_probes"), gnu::used]] static const char* const drover_probe_name = name; \
    ::drover::base::ProbeHit(drover_probe_name);                                                    \
  } while (false)

#else

#define DROVER_BREAK(name) (false)
#define DROVER_PROBE(name) (static_cast<void>(0))

#endif

#endif  // DROVER_COORD_BASE_HOOKS_H_
