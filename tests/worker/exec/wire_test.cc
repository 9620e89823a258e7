#include "worker/exec/wire.h"

#include <sys/socket.h>

#include <string>

#include "gtest/gtest.h"

namespace drover::worker::exec {
namespace {

TEST(Wire, ASpecComesBackAsItWas) {
  ProgramSpec spec{.argv = {"sh", "", std::string(200'000, 'x')},
                   .env = {"A=b", "C="},
                   .cwd = "/tmp",
                   .time_limit_ns = 5,
                   .grace_ns = -1,
                   .needs_lease = true};
  const auto back = DecodeSpec(EncodeSpec(spec));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->argv, spec.argv);
  EXPECT_EQ(back->env, spec.env);
  EXPECT_EQ(back->cwd, spec.cwd);
  EXPECT_EQ(back->time_limit_ns, 5);
  EXPECT_EQ(back->grace_ns, -1);
  EXPECT_TRUE(back->needs_lease);
}

TEST(Wire, ACutSpecIsRefused) {
  const std::string bytes = EncodeSpec({.argv = {"a", "b"}, .env = {"A=b"}, .cwd = "/"});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeSpec(absl::string_view(bytes).substr(0, size)).has_value()) << size;
  }
}

TEST(Wire, DescriptorsTravelWithAMessage) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  Fd one(ends[0]), two(ends[1]);
  const Fd bytes = BytesFd("test", "hello");
  ASSERT_EQ(SendMessage(one.get(), Pack(MessageType::kStart, StartMessage{7}), {bytes.get(), bytes.get()}, true), 0);
  const Received received = ReceiveMessage(two.get(), true);
  ASSERT_EQ(TypeOf(received.message), MessageType::kStart);
  EXPECT_EQ(Unpack<StartMessage>(received.message)->run, 7U);
  ASSERT_EQ(received.fds.size(), 2U);
  EXPECT_EQ(ReadAllOf(received.fds[1].get()), "hello");
  EXPECT_EQ(ReceiveMessage(two.get(), false).error, EAGAIN);
  one.Close();
  const Received end = ReceiveMessage(two.get(), true);
  EXPECT_EQ(end.error, 0);
  EXPECT_TRUE(end.message.empty());
}

TEST(Wire, TheLongestWillTravels) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Fd one(ends[0]), two(ends[1]);
  const std::string will(kWillBytesMax, 'w');
  ASSERT_EQ(SendMessage(one.get(), Pack(MessageType::kWill, WillMessage{}, will), {}, true), 0);
  EXPECT_EQ(ReceiveMessage(two.get(), true).message.substr(1 + sizeof(WillMessage)), will);
}

}  // namespace
}  // namespace drover::worker::exec
