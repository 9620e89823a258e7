#include "tests/rivals/courier.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace drover::rivals {

using std::chrono::milliseconds;

namespace {

constexpr base::Duration kSoonest = milliseconds(150);
static_assert(kSoonest > kTickMax, "else nothing may be under way while something is held");

}  // namespace

Courier::Courier(base::Loop* loop, base::Random* random, int port, const std::string& name) : loop_(loop), random_(random) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::_Exit(1);
  Say(Hello{name});
}

Courier::~Courier() {
  close(fd_);
}

void Courier::Say(const Report& report) {
  const std::string line = EncodeReport(report);
  if (send(fd_, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) std::_Exit(1);
}

void Courier::Write(const Use& use) {
  if (random_->Below(2) == 0) Say(use);
  const bool slow = random_->Below(20) == 0;
  const base::Duration later = kSoonest + milliseconds(random_->Below(slow ? 1000 : 150));
  ++under_way_[use.resource];
  static_cast<void>(loop_->After(later, [this, use] {
    Say(use);
    if (--under_way_[use.resource] == 0) under_way_.erase(use.resource);
  }));
}

}  // namespace drover::rivals
