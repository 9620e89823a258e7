#include "tests/oracle/zookeeper_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "tests/oracle/jute.h"

namespace drover::oracle {
namespace {

constexpr timeval kSocketPatience = {60, 0};
constexpr std::int32_t kMessageBytesMax = 16 << 20;

absl::Status Broken(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("the connection to ZooKeeper: ", what, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ZooKeeperConnection>> ZooKeeperConnection::Open(int port, std::int32_t timeout_ms) {
  return Greet(port, EncodeConnect(timeout_ms));
}

absl::Status ZooKeeperConnection::Shorten(int port, std::int32_t timeout_ms) {
  return Greet(port, EncodeReconnect(grant_, timeout_ms)).status();
}

absl::StatusOr<std::unique_ptr<ZooKeeperConnection>> ZooKeeperConnection::Greet(int port, const std::string& greeting) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Broken("socket");
  std::unique_ptr<ZooKeeperConnection> connection(new ZooKeeperConnection(fd));
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kSocketPatience, sizeof kSocketPatience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kSocketPatience, sizeof kSocketPatience);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return Broken("connect");
  DROVER_RETURN_IF_ERROR(connection->Send(greeting));
  DROVER_ASSIGN_OR_RETURN(const std::string bytes, connection->Receive());
  DROVER_ASSIGN_OR_RETURN(connection->grant_, DecodeGrant(bytes));
  if (connection->session() == 0) return absl::UnavailableError("ZooKeeper refuses a session");
  return connection;
}

ZooKeeperConnection::~ZooKeeperConnection() {
  close(fd_);
}

absl::StatusOr<std::vector<Reply>> ZooKeeperConnection::Execute(absl::Span<const Operation> burst) {
  std::int32_t answered = xid_;
  for (const Operation& operation : burst) DROVER_RETURN_IF_ERROR(Send(EncodeRequest(++xid_, operation)));
  std::vector<Reply> replies;
  for (const Operation& operation : burst) {
    DROVER_ASSIGN_OR_RETURN(Reply reply, ReceiveReply(++answered, operation));
    replies.push_back(std::move(reply));
  }
  return replies;
}

absl::StatusOr<Reply> ZooKeeperConnection::ReceiveReply(std::int32_t xid, const Operation& operation) {
  Reply reply;
  while (true) {
    DROVER_ASSIGN_OR_RETURN(const std::string bytes, Receive());
    DROVER_ASSIGN_OR_RETURN(const ZooKeeperReplyHead head, DecodeHead(bytes));
    if (head.xid == kEventXid) {
      DROVER_ASSIGN_OR_RETURN(Event event, DecodeEvent(bytes));
      reply.events.push_back(std::move(event));
      continue;
    }
    if (head.xid != xid) return absl::InternalError(absl::StrCat("ZooKeeper answers ", head.xid, " where ", xid, " was asked"));
    DROVER_ASSIGN_OR_RETURN(reply.answer, DecodeReply(operation, bytes));
    return reply;
  }
}

absl::Status ZooKeeperConnection::Send(const std::string& message) {
  JuteWriter framed;
  framed.String(message);
  const std::string& bytes = framed.bytes();
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Broken("send");
    sent += static_cast<std::size_t>(n);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ZooKeeperConnection::Receive() {
  DROVER_ASSIGN_OR_RETURN(const std::string head, ReceiveBytes(sizeof(std::int32_t)));
  const std::int32_t size = JuteReader(head).Int();
  if (size < 0 || size > kMessageBytesMax)
    return absl::InternalError(absl::StrCat("ZooKeeper sends a message of ", size, " bytes"));
  return ReceiveBytes(static_cast<std::size_t>(size));
}

absl::StatusOr<std::string> ZooKeeperConnection::ReceiveBytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t got = 0; got < size;) {
    const ssize_t n = recv(fd_, bytes.data() + got, size - got, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) return absl::UnavailableError("ZooKeeper closed the connection");
    if (n < 0) return Broken("receive");
    got += static_cast<std::size_t>(n);
  }
  return bytes;
}

}  // namespace drover::oracle
