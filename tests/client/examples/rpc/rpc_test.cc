#include "client/examples/rpc/rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/support/process.h"

namespace drover::examples {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kTimeout{60};

std::unique_ptr<Server> Echo() {
  auto server = Server::Start([](const std::string& method, const std::vector<std::string>& arguments) -> absl::StatusOr<Lines> {
    if (method == "refuse") return absl::FailedPreconditionError("not here");
    Lines lines = {method};
    lines.insert(lines.end(), arguments.begin(), arguments.end());
    return lines;
  });
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

TEST(RpcTest, LinesComeBackByteForByteAndRefusalsWithTheirWords) {
  const auto server = Echo();
  const std::string bytes("\0\n\xff", 3);
  const auto lines = Call(server->address(), "echo", {"one", "", bytes}, kTimeout);
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_THAT(*lines, ElementsAre("echo", "one", "", bytes));
  const auto refused = Call(server->address(), "refuse", {}, kTimeout);
  EXPECT_EQ(refused.status(), absl::FailedPreconditionError("not here"));
}

TEST(RpcTest, NobodyListensAndAPortThatIsTakenAreUnavailable) {
  std::string address;
  {
    const auto server = Echo();
    address = server->address();
    const auto second = Server::Start([](auto&, auto&) -> absl::StatusOr<Lines> { return Lines(); },
                                      std::stoi(address.substr(address.find(':') + 1)));
    EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
    EXPECT_THAT(std::string(second.status().message()), HasSubstr(address));
  }
  EXPECT_TRUE(absl::IsUnavailable(Call(address, "echo", {}, kTimeout).status()));
}

TEST(RpcTest, AHandlerThatTakesTooLongIsADeadlineForItsCallerAlone) {
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  auto server = Server::Start([gone](const std::string& method, auto&) -> absl::StatusOr<Lines> {
    if (method == "slow") gone.wait();
    return Lines{method};
  });
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(Call((*server)->address(), "slow", {}, std::chrono::milliseconds(50)).status()));
  EXPECT_TRUE(Call((*server)->address(), "quick", {}, kTimeout).ok());
  go.set_value();
}

}  // namespace
}  // namespace drover::examples
