// Ends everything that a process has ever started: children, grandchildren, daemons in sessions of their own.
//
// It works for a process that is the subreaper of what it shall kill (PR_SET_CHILD_SUBREAPER): orphans then become its own children
// instead of escaping to init, so "no child left" means "nothing left". Works without privileges, cgroups or namespaces.
#ifndef DROVER_WORKER_EXEC_PROCESS_TREE_H_
#define DROVER_WORKER_EXEC_PROCESS_TREE_H_

#include <sys/types.h>

#include <functional>
#include <vector>

namespace drover::worker::exec {

// Kills every descendant of the calling process and returns when none is left. Descendants are frozen (SIGSTOP) until a look at
// /proc shows no new one, and only then killed, so that a fork bomb cannot outrun it. `spared` children and all below them are left
// alone. `reap` collects ended children without waiting; it returns false once the process has no child at all. A descendant that
// may not be killed (it changed its user) is waited for.
void KillDescendants(const std::function<bool(pid_t)>& spared, const std::function<bool()>& reap);

// Living descendants of `root` (and those not yet collected), parents first. For tests and status.
std::vector<pid_t> Descendants(pid_t root);

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_PROCESS_TREE_H_
