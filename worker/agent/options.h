// What an agent is told at construction. Every limit and time-out of the worker is here.
#ifndef DROVER_WORKER_AGENT_OPTIONS_H_
#define DROVER_WORKER_AGENT_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/time.h"
#include "drover/coord/session.h"
#include "master/records/record_limits.h"

namespace drover::worker::agent {

struct OutputOptions {
  // Both streams' last bytes ride in the record up to this; what is more goes to the store.
  std::size_t inline_bytes_max = records::kOutputDataBytesMax;
  // A chunk is written when so much is gathered, or `flush_delay` after its first byte; while one is being written the next gathers
  // up to chunk_bytes_max.
  std::size_t chunk_bytes = 256 * 1024;
  std::size_t chunk_bytes_max = 1024 * 1024;
  base::Duration flush_delay = std::chrono::milliseconds(100);
  // A younger task whose output still fits into the record does not touch the store.
  base::Duration quiet = std::chrono::milliseconds(200);
  // Of one task, gathered or being written; beyond it the program is not read any more.
  std::size_t buffered_bytes_max = 2 * 1024 * 1024;
  // A store that fails is tried again for so long, and one call may take so long; then the task's output is lost, or its input
  // out of reach, and the attempt ends STORE_FAILED.
  base::Duration retry_delay = std::chrono::milliseconds(200);
  base::Duration patience = std::chrono::seconds(60);
};

struct AgentOptions {
  std::string pool = "default";
  std::string name;
  std::string address;  // of the worker's own port
  std::uint32_t slots = 1;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::int64_t> resources;  // in thousandths: what its tasks may take together
  std::string version;
  // Random, 128 bits as hex: this process, told apart from any other that had or will have the name.
  std::string process_id;
  coord::SessionOptions session;

  // PATH, HOME and LANG of the programs.
  std::vector<std::pair<std::string, std::string>> base_env;
  // Between SIGTERM and SIGKILL of a cancelled task, one over its time limit, or one that the drain waits no longer for.
  base::Duration grace = std::chrono::seconds(10);
  // SIGTERM to the worker: so long it waits for what runs, then it returns it.
  base::Duration drain_timeout = std::chrono::minutes(10);
  // The last words to the core (deregistering, closing the session) wait no longer for its answer, each; a core that is gone is not
  // waited for so long (drover/recipes/farewell.h).
  base::Duration stop_patience = std::chrono::seconds(5);
  // So long its reaper tries to tell the core of this process's death.
  base::Duration death_report_patience = std::chrono::minutes(15);
  // At-least-once tasks that run longer are reported as RUNNING, looked for every `report_interval`.
  base::Duration report_age = std::chrono::milliseconds(200);
  base::Duration report_interval = std::chrono::milliseconds(100);
  // What a program says of its progress is told no more often than this.
  base::Duration progress_interval = std::chrono::seconds(1);
  // A call that the core refused for now is made again after this long.
  base::Duration retry_delay = std::chrono::milliseconds(200);
  // So long the pool's store may take to show that it is the pool's.
  base::Duration marker_patience = std::chrono::seconds(10);
  // A task that could not start for want of descriptors, processes, memory or disk is returned after this long: its slot stays
  // taken.
  base::Duration shortage_pause = std::chrono::seconds(1);
  // How often the lease of `stop` tasks is brought up to the session's. Their deadline lies this share of the session's time-out
  // (clocks may run at different rates) and the time that killing takes before the session's own.
  base::Duration lease_interval = std::chrono::milliseconds(100);
  int lease_clock_error_percent = 1;
  base::Duration lease_kill_time = std::chrono::milliseconds(250);

  OutputOptions output;
};

}  // namespace drover::worker::agent

#endif  // DROVER_WORKER_AGENT_OPTIONS_H_
