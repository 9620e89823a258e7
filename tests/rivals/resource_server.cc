#include "tests/rivals/resource_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "tests/support/process.h"

namespace drover::rivals {

ResourceServer::ResourceServer() : port_(testing::FreePort()) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener_, SOMAXCONN) != 0 ||
      pipe2(wake_, O_CLOEXEC) != 0) {
    throw std::runtime_error("the resource server cannot listen");
  }
  thread_ = std::thread([this] { Run(); });
}

ResourceServer::~ResourceServer() {
  stop_ = true;
  close(wake_[1]);
  thread_.join();
  for (const Caller& caller : callers_) close(caller.fd);
  close(wake_[0]);
  close(listener_);
}

bool ResourceServer::Ask(absl::FunctionRef<bool(const std::vector<Record>&)> question) const {
  const std::lock_guard lock(mu_);
  return question(records_);
}

std::vector<Record> ResourceServer::Records() const {
  const std::lock_guard lock(mu_);
  return records_;
}

int ResourceServer::callers() const {
  const std::lock_guard lock(mu_);
  return static_cast<int>(callers_.size());
}

std::vector<std::string> ResourceServer::nonsense() const {
  const std::lock_guard lock(mu_);
  return nonsense_;
}

// This thread alone changes the list of callers, so it may look at that without the lock.
void ResourceServer::Run() {
  while (!stop_) {
    std::vector<pollfd> polls = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Caller& caller : callers_) polls.push_back({caller.fd, POLLIN, 0});
    poll(polls.data(), polls.size(), -1);
    const std::lock_guard lock(mu_);
    auto caller = callers_.begin();
    for (std::size_t i = 2; i < polls.size(); ++i) {
      if (polls[i].revents == 0 || Hear(&*caller)) {
        ++caller;
        continue;
      }
      close(caller->fd);
      caller = callers_.erase(caller);
    }
    if (polls[1].revents == 0) continue;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) callers_.push_back({.fd = fd});
  }
}

bool ResourceServer::Hear(Caller* caller) {
  char buffer[16384];
  const ssize_t n = read(caller->fd, buffer, sizeof buffer);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (n <= 0) return false;  // half a line is what was not sent
  caller->unread.append(buffer, static_cast<std::size_t>(n));
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = caller->unread.find('\n', begin)) != std::string::npos; begin = end + 1) {
    Take(caller, absl::string_view(caller->unread).substr(begin, end - begin));
  }
  caller->unread.erase(0, begin);
  return true;
}

void ResourceServer::Take(Caller* caller, absl::string_view line) {
  const std::optional<Report> report = DecodeReport(line);
  const Hello* const hello = report.has_value() ? std::get_if<Hello>(&*report) : nullptr;
  if (!report.has_value() || (hello != nullptr) != caller->user.empty()) {
    nonsense_.push_back(absl::StrCat(caller->user, ": ", line));
    return;
  }
  if (hello != nullptr) {
    caller->user = absl::StrCat(hello->name, ".", ++lives_[hello->name]);
    return;
  }
  Record record{.user = caller->user, .report = *report};
  if (const auto* use = std::get_if<Use>(&record.report); use != nullptr && use->fenced) {
    base::Zxid& newest = newest_[use->resource];
    record.accepted = use->token >= newest;
    if (record.accepted) newest = use->token;
  }
  records_.push_back(std::move(record));
}

}  // namespace drover::rivals
