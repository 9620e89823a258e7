#include "tests/worker/exec/victim.h"

#include <cstring>

#include "tests/worker/exec/runner_fixture.h"

namespace drover::worker::exec {

std::optional<int> RunIfVictim(int argc, char** argv) {
  if (argc != 5 || std::strcmp(argv[1], kVictimArgument) != 0) return std::nullopt;
  PostLoop loop;
  RunnerOptions options;
  options.work_root = argv[2];
  auto runner = LocalRunner::Create(&loop, options);
  if (!runner.ok()) return 1;
  (*runner)->SetLastWill(argv[3]);
  Recorder recorder(runner->get());
  TaskRun run;
  run.argv = {"bash", "-c", argv[4]};
  run.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  recorder.Begin(std::move(run));
  return loop.RunUntil([&] { return recorder.exit.has_value(); }, std::chrono::minutes(5)) ? 0 : 2;
}

}  // namespace drover::worker::exec
