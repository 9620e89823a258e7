// Several hosts, each a network namespace: the page on deploying (deploy/README.md) as a test.
//
// Runs inside a network and mount namespace of its own (see CMakeLists.txt), so that nothing here touches the machine's network.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <map>
#include <memory>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

class HostsTest : public ::testing::Test {
 protected:
  HostsTest() {
    // `ip netns` keeps its names there; this /run is ours alone.
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 || mount("run", "/run", "tmpfs", 0, nullptr) != 0) {
      throw std::runtime_error("needs a mount namespace of its own (see tests/e2e/CMakeLists.txt)");
    }
    Ip({"link", "add", "switch", "type", "bridge"});
    Ip({"link", "set", "switch", "up"});
    int last = 1;
    for (const char* host : {"core1", "core2", "core3", "m1", "m2", "w1", "w2", "laptop"}) {
      const std::string name(host);
      address_[name] = "10.77.0." + std::to_string(last++);
      Ip({"netns", "add", name});
      Ip({"link", "add", "to-" + name, "type", "veth", "peer", "name", "eth0", "netns", name});
      Ip({"link", "set", "to-" + name, "master", "switch", "up"});
      Ip({"-n", name, "addr", "add", address_[name] + "/24", "dev", "eth0"});
      Ip({"-n", name, "link", "set", "eth0", "up"});
      Ip({"-n", name, "link", "set", "lo", "up"});
    }
    std::filesystem::create_directory(dir_ / "store");
    std::string initial;
    for (const std::string id : {"1", "2", "3"}) {
      core_ += (core_.empty() ? "" : ",") + address_["core" + id] + ":7400";
      initial += (initial.empty() ? "" : ",") + id + "=" + address_["core" + id] + ":7400";
    }
    for (const std::string id : {"1", "2", "3"}) {
      StartOn("core" + id, {"drover-coord", "--id", id, "--data", dir_ / ("coord-" + id), "--listen", "0.0.0.0:7400",
                            "--initial-cluster", initial});
    }
    for (const std::string host : {"m1", "m2"}) {
      StartOn(host,
              {"drover-master", "--coord", core_, "--store", "file:" + (dir_ / "store"), "--listen", address_[host] + ":7410"});
    }
    for (const std::string host : {"w1", "w2"}) {
      StartOn(host, {"drover-worker", "--coord", core_, "--store", "file:" + (dir_ / "store"), "--listen", address_[host] + ":7420",
                     "--name", host});
    }
  }
  ~HostsTest() override {
    // The workers first: their reapers (their only children) have to find the core to tell it, and then end.
    for (const char* host : {"w1", "w2"}) {
      Process& worker = *processes_.at(host);
      const std::string pid = std::to_string(worker.pid());
      const pid_t reaper = std::atoi(ReadFile("/proc/" + pid + "/task/" + pid + "/children").c_str());
      worker.Kill();
      EXPECT_TRUE(Await([reaper] { return !Alive(reaper); })) << "the reaper of " << host;
    }
    processes_.clear();
    // The links first: with their namespaces they would go some time later.
    for (const auto& [host, address] : address_) Ip({"link", "del", "to-" + host});
    for (const auto& [host, address] : address_) Ip({"netns", "del", host});
    Ip({"link", "del", "switch"});
    umount2("/run", MNT_DETACH);
    if (HasFailure()) {
      for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
        if (entry.path().extension() == ".log") std::cerr << "==== " << entry.path() << "\n" << ReadFile(entry.path());
      }
    }
  }

  static void Ip(std::vector<std::string> args) {
    args.insert(args.begin(), "ip");
    const CommandResult result = RunCommand(args);
    if (result.exit_code != 0) throw std::runtime_error(args[1] + " " + args[2] + ": " + result.err);
  }
  void StartOn(const std::string& host, std::vector<std::string> argv) {
    argv[0] = Binary(argv[0]);
    argv.insert(argv.begin(), {"ip", "netns", "exec", host});
    argv.push_back("--insecure");
    processes_[host] = std::make_unique<Process>(argv, std::map<std::string, std::string>{}, dir_ / (host + ".log"));
    processes_[host]->Start();
  }
  // The command line on a host that shares no directory with the others.
  CommandResult Laptop(const std::vector<std::string>& args) {
    std::vector<std::string> argv = {"ip",
                                     "netns",
                                     "exec",
                                     "laptop",
                                     "unshare",
                                     "-m",
                                     "sh",
                                     "-c",
                                     "mount -t tmpfs none \"$0\" && exec \"$@\"",
                                     dir_ / "store",
                                     Binary("drover"),
                                     "--coord",
                                     core_};
    argv.insert(argv.end(), args.begin(), args.end());
    return RunCommand(argv);
  }
  // The host of the node that leads, as far as it can be reached.
  std::string CoreLeader() {
    const CommandResult status = Laptop({"-o", "json", "cluster", "status"});
    if (status.exit_code != 0) return "";
    for (const nlohmann::json& node : nlohmann::json::parse(status.out)) {
      if (node.value("role", "") == "leader") return "core" + std::to_string(node.at("id").get<int>());
    }
    return "";
  }
  bool AwaitReady() {
    return Await([&] {
      const CommandResult masters = Laptop({"-o", "json", "master", "list"});
      const CommandResult workers = Laptop({"-o", "json", "worker", "list"});
      return masters.exit_code == 0 && workers.exit_code == 0 && nlohmann::json::parse(masters.out).size() == 2 &&
             nlohmann::json::parse(workers.out).size() == 2;
    });
  }

  TemporaryDirectory dir_;
  std::map<std::string, std::string> address_;
  std::string core_;  // the addresses of all coordination nodes
  std::map<std::string, std::unique_ptr<Process>> processes_;
};

TEST_F(HostsTest, WorkRunsAcrossHostsAndMovesAwayFromOneThatIsCutOff) {
  ASSERT_TRUE(AwaitReady());
  // More than rides in a record, so it goes through the store, which this host cannot reach: the masters stream it.
  const CommandResult large = Laptop({"run", "--", "sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x"});
  EXPECT_EQ(large.exit_code, 0) << large.err;
  EXPECT_EQ(large.out, std::string(300'000, 'x'));

  const std::string starts = dir_ / "starts";
  const std::string id =
      Trimmed(Laptop({"submit", "--", "sh", "-c", "echo $DROVER_WORKER >> " + starts + "; exec sleep 1000"}).out);
  ASSERT_TRUE(Await([&] { return !ReadFile(starts).empty(); }));
  const std::string first = Trimmed(ReadFile(starts));
  const std::string second = first == "w1" ? "w2" : "w1";
  Ip({"link", "set", "to-" + first, "down"});
  ASSERT_TRUE(Await([&] { return Lines(ReadFile(starts)).size() == 2; }))
      << "it runs elsewhere once the session of the cut host has expired";
  EXPECT_EQ(Lines(ReadFile(starts))[1], second);
  Ip({"link", "set", "to-" + first, "up"});
  ASSERT_TRUE(AwaitReady()) << "the host that was cut off registers again";
  EXPECT_EQ(Laptop({"cancel", id}).exit_code, 0);
  EXPECT_EQ(Laptop({"wait", id}).exit_code, 4);
}

TEST_F(HostsTest, WorkGoesOnWhenTheHostOfTheCoresLeaderIsCutOff) {
  ASSERT_TRUE(AwaitReady());
  const std::string before = Trimmed(Laptop({"submit", "--", "echo", "kept"}).out);
  const std::string leader = CoreLeader();
  ASSERT_NE(leader, "");
  Ip({"link", "set", "to-" + leader, "down"});
  EXPECT_EQ(Laptop({"run", "--", "echo", "still here"}).out, "still here\n");
  EXPECT_EQ(Laptop({"wait", before}).exit_code, 0);
  EXPECT_NE(CoreLeader(), leader);
  Ip({"link", "set", "to-" + leader, "up"});
  ASSERT_TRUE(Await([&] {
    const CommandResult status = Laptop({"-o", "json", "cluster", "status"});
    int serving = 0;
    if (status.exit_code == 0) {
      for (const nlohmann::json& node : nlohmann::json::parse(status.out)) serving += node.value("serving", false) ? 1 : 0;
    }
    return serving == 3;
  })) << "the node that was cut off serves again";
}

}  // namespace
}  // namespace drover::testing
