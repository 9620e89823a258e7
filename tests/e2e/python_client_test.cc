// Another language needs nothing but the protos and its distribution's packages.
#include <gtest/gtest.h>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

TEST(PythonClientTest, AClientGeneratedFromTheProtosSubmitsWatchesAndCancels) {
  ClusterOptions options;
  options.workers = 1;
  Cluster cluster(options);
  const std::string protos = std::string(DROVER_SOURCE_DIR) + "/proto";
  const CommandResult generated =
      RunCommand({"protoc", "--proto_path=" + protos, "--python_out=" + cluster.dir(), "--grpc_out=" + cluster.dir(),
                  "--plugin=protoc-gen-grpc=" DROVER_GRPC_PYTHON_PLUGIN, protos + "/drover/task/v1/task.proto"});
  ASSERT_EQ(generated.exit_code, 0) << generated.err;
  // Through the standby: it forwards.
  const int standby = 1 - cluster.AwaitElectedMaster();
  const CommandResult result = RunCommand({DROVER_PYTHON, std::string(DROVER_SOURCE_DIR) + "/tests/e2e/python_client.py",
                                           cluster.dir(), cluster.master_address(standby)});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "submitted, watched, cancelled\n");
}

}  // namespace
}  // namespace drover::testing
