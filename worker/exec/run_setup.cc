#include "worker/exec/run_setup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "absl/strings/str_cat.h"

namespace drover::worker::exec {
namespace {

constexpr std::size_t kNameBytesMax = 60;

std::string Shorten(const std::string& name) {
  if (name.size() <= kNameBytesMax) return name;
  return "..." + name.substr(name.size() - kNameBytesMax + 3);
}

bool HasNul(const std::string& s) {
  return s.find('\0') != std::string::npos;
}

RunSetup Failed(int error, std::string sentence) {
  RunSetup setup;
  setup.error = error;
  setup.sentence = std::move(sentence);
  return setup;
}

bool MakePipe(Fd* read_end, Fd* write_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  *read_end = Fd(ends[0]);
  *write_end = Fd(ends[1]);
  // Only ours: the program's end is an ordinary blocking one.
  return ::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

Fd OpenInput(const TaskRun& run) {
  if (!run.stdin_file.empty()) return Fd(::open(run.stdin_file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!run.stdin_bytes.empty()) return BytesFd("drover-stdin", run.stdin_bytes.view());
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

RunSetup SetUp(const TaskRun& run) {
  if (!run.handler.empty()) return Failed(ENOENT, absl::StrCat("this worker has no handler ", Shorten(run.handler)));
  if (run.argv.empty()) return Failed(EINVAL, "there is no program to run: argv is empty");
  if (!run.cwd.empty() && run.cwd[0] != '/') return Failed(EINVAL, "cwd is not an absolute path");
  if (std::any_of(run.argv.begin(), run.argv.end(), HasNul) || HasNul(run.cwd)) {
    return Failed(EINVAL, "an argument or cwd has a NUL byte in it");
  }
  ProgramSpec spec{.argv = run.argv,
                   .cwd = run.cwd,
                   .time_limit_ns = run.time_limit.count(),
                   .grace_ns = run.grace.count(),
                   .needs_lease = run.needs_lease};
  std::map<std::string, std::string> env;
  for (const auto& [name, value] : run.env) {
    if (name.empty() || name.find('=') != std::string::npos || HasNul(name) || HasNul(value)) {
      return Failed(EINVAL, "an environment variable's name is empty or has '=' in it, or one has a NUL byte");
    }
    env[name] = value;
  }
  for (const auto& [name, value] : env) spec.env.push_back(absl::StrCat(name, "=", value));

  RunSetup setup;
  setup.in = OpenInput(run);
  if (!setup.in.open()) return Failed(errno, absl::StrCat("cannot open its standard input: ", std::strerror(errno)));
  setup.spec = BytesFd("drover-spec", EncodeSpec(spec));
  if (!setup.spec.open() || !MakePipe(&setup.out_read, &setup.out) || !MakePipe(&setup.err_read, &setup.err)) {
    return Failed(errno, absl::StrCat("the worker cannot set it up: ", std::strerror(errno)));
  }
  return setup;
}

std::string StartFailureSentence(Stage stage, int error, const std::string& program, const std::string& cwd) {
  const char* words = std::strerror(error);
  switch (stage) {
    case Stage::kCwd:
      return absl::StrCat("working directory ", Shorten(cwd), ": ", words);
    case Stage::kExec:
      if (error == ENOENT && program.find('/') == std::string::npos) {
        return absl::StrCat("program ", Shorten(program), " not found in PATH");
      }
      if (error == ENOENT) return absl::StrCat("program ", Shorten(program), " not found (or its interpreter)");
      if (error == E2BIG) return "arguments and environment are larger than the system allows";
      return absl::StrCat("program ", Shorten(program), ": ", words);
    case Stage::kDirectory:
      return absl::StrCat("the worker cannot make its directory: ", words);
    case Stage::kLease:
      return "the worker's lease had ended";
    case Stage::kFork:
    case Stage::kSpec:
    case Stage::kNone:
      return absl::StrCat("the worker cannot start a process: ", words);
  }
  return words;
}

}  // namespace drover::worker::exec
