#include "drover/worker/worker.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "master/records/handler_label.h"
#include "master/records/task_id.h"
#include "worker/exec/reaper.h"
#include "worker/handlers/handler_runner.h"
#include "worker/host/host.h"

namespace drover::worker {
namespace {

host::HostOptions ToHost(const WorkerOptions& options) {
  host::HostOptions host;
  host.coord = options.coord;
  host.pool = options.pool;
  host.store = options.store;
  host.name = options.name;
  host.slots = options.slots == 0 ? host::Processors() : options.slots;
  host.labels = options.labels;
  host.resources = options.resources;
  host.work_dir = options.work_dir.empty() ? host::EnvironmentOr("TMPDIR", "/tmp") : options.work_dir;
  host.session_timeout = options.session_timeout;
  host.drain_timeout = options.drain_timeout;
  host.grace = options.grace;
  host.server.listen = "127.0.0.1:0";
  host.server.http = options.http;
  host.signals = options.signals;
  return host;
}

}  // namespace

struct Worker::Impl {
  std::map<std::string, Handler> handlers;
  absl::Status wrong;  // of a handler: the first
  host::Stop stop;
  bool ran = false;
};

Worker::Worker(int argc, char** argv) : impl_(std::make_unique<Impl>()) {
  if (const auto code = exec::RunIfReaper(argc, argv, host::ReportDeath)) std::exit(*code);
}

Worker::~Worker() = default;

void Worker::Handle(std::string name, Handler handler) {
  const auto wrong = [this](std::string why) {
    if (impl_->wrong.ok()) impl_->wrong = absl::InvalidArgumentError(why);
  };
  if (!records::IsName(name) || name.size() > records::kHandlerNameBytesMax) {
    return wrong(absl::StrCat("handler \"", name.substr(0, 80), "\": a name is [A-Za-z0-9][A-Za-z0-9._-]{0,54}"));
  }
  if (!handler) return wrong(absl::StrCat("handler ", name, " is no function"));
  if (impl_->handlers.size() == records::kHandlersMax) return wrong(absl::StrCat("at most ", records::kHandlersMax, " handlers"));
  if (!impl_->handlers.emplace(name, std::move(handler)).second) wrong(absl::StrCat("there are two handlers ", name));
}

absl::Status Worker::Run(const WorkerOptions& options) {
  DROVER_CHECK(!impl_->ran) << "Worker::Run is called once";
  impl_->ran = true;
  if (!impl_->wrong.ok()) return impl_->wrong;
  if (impl_->handlers.empty() && !options.programs) return absl::InvalidArgumentError("it has no handlers, and runs no programs");
  if (options.slots > 4096) return absl::InvalidArgumentError(absl::StrCat(options.slots, " slots, at most 4096"));
  const host::HostOptions host = ToHost(options);
  if (absl::Status wrong = host::Check(host); !wrong.ok()) return wrong;
  std::map<std::string, std::string> labels;
  for (const auto& [name, handler] : impl_->handlers) labels[absl::StrCat(records::kHandlerLabel, name)] = "";
  if (!options.programs) labels[records::kHandlersOnlyLabel] = "";
  const auto wrap = [&](base::Loop* loop, std::unique_ptr<exec::LocalRunner> programs) {
    return std::make_unique<handlers::HandlerRunner>(loop, std::move(programs), impl_->handlers,
                                                     handlers::HandlerRunnerOptions{.threads = host.slots});
  };
  return host::Run(host, labels, wrap, &impl_->stop);
}

void Worker::Stop() {
  impl_->stop.Request();
}

}  // namespace drover::worker
