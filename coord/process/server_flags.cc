#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "coord/process/options.h"

namespace drover::process {

void ServerFlags::AddTo(OptionSet* options, const std::string& default_listen) {
  listen = default_listen;
  options->Address("--listen", &listen, "Address to serve on");
  options->Address("--advertise", &advertise, "Address that others reach this process by, where it is not the one it serves on");
  options->Address("--http", &http, "Address of the HTTP port: /metrics, /healthz, /readyz");
  options->Flag("--insecure", &insecure, "Allow addresses other than loopback: links are not encrypted");
  options->Choice("--log-level", &log_level, {"debug", "info", "warning", "error", "off"}, "What is logged to stderr");
}

absl::Status ServerFlags::Check() const {
  if (absl::Status status = RequireLoopback(listen, insecure); !status.ok()) return base::Annotate(status, "--listen");
  if (!http.empty()) {
    if (absl::Status status = RequireLoopback(http, insecure); !status.ok()) return base::Annotate(status, "--http");
  }
  return absl::OkStatus();
}

}  // namespace drover::process
