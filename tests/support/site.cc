#include "tests/support/site.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>
#include <utility>

#include "tests/support/await.h"
#include "tests/support/cluster.h"

namespace drover::testing {
namespace {

constexpr int kCores = 6;

std::string Replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
  return text;
}

// "# on core2, then core3: ..." -> core2, core3; "# anywhere" -> desk. Nothing: a line like any other.
std::vector<std::string> HostsOf(const std::string& line) {
  if (line.rfind("# anywhere", 0) == 0) return {"desk"};
  if (line.rfind("# on ", 0) != 0) return {};
  static const std::regex kHost("\\b(core|m|w)[0-9]\\b");
  return {std::sregex_token_iterator(line.begin(), line.end(), kHost), std::sregex_token_iterator()};
}

}  // namespace

Site::Site() : services_(dir_.path(), Binary("")) {
  std::vector<std::string> names = {"m1", "m2", "w1", "w2", "desk"};
  for (int i = 1; i <= kCores; ++i) names.push_back("core" + std::to_string(i));
  for (const std::string& host : names) {
    hosts_[host] = Ports{FreePort(), FreePort()};
    for (const char* directory : {"/etc/drover", "/etc/cron.d", "/var/lib/drover/work"}) {
      std::filesystem::create_directories(dir_ / host + directory);
    }
  }
  std::filesystem::create_directories(dir_ / "backups");
  std::filesystem::create_directories(dir_ / "store");
  // What concerns users and other hosts, of which there is one each here.
  const std::pair<const char*, const char*> stand_ins[] = {{"chown", "exit 0"}, {"scp", "exec cp \"$@\""}};
  for (const auto& [name, text] : stand_ins) {
    const std::string path = services_.programs() + "/" + name;
    WriteFile(path, std::string("#!/bin/sh\n") + text + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
}

Site::~Site() {
  // The workers first: their reapers have to find the core to tell it, and then end.
  for (const auto& [host, ports] : hosts_) {
    if (RoleOf(host) == "worker") services_.Lose(host);
  }
  if (!Await([this] { return Reapers().empty(); })) ADD_FAILURE() << "a reaper does not end";
  for (const pid_t reaper : Reapers()) kill(reaper, SIGKILL);
}

std::vector<pid_t> Site::Reapers() const {
  std::vector<pid_t> reapers;
  for (const pid_t pid : Processes()) {
    const std::vector<std::string> argv = ArgumentsOf(pid);
    if (argv.size() == 3 && argv[1] == "__reaper" && argv[2].rfind(dir_.path() + "/", 0) == 0 && Alive(pid)) reapers.push_back(pid);
  }
  return reapers;
}

std::string Site::RoleOf(const std::string& host) {
  return host[0] == 'c' ? "coord" : host[0] == 'm' ? "master" : host[0] == 'w' ? "worker" : "";
}

std::string Site::Here(const std::string& host, std::string text) const {
  for (const auto& [name, ports] : hosts_) {
    for (const char* usual : {":7400", ":7410", ":7420"}) {
      text = Replaced(text, name + usual, "127.0.0.1:" + std::to_string(ports.port));
    }
    text = Replaced(text, name + ":/var/", dir_ / name + "/var/");
  }
  const Ports& own = hosts_.at(host);
  for (const char* usual : {"127.0.0.1:7480", "127.0.0.1:7481", "127.0.0.1:7482"}) {
    text = Replaced(text, usual, "127.0.0.1:" + std::to_string(own.http));
  }
  for (const char* usual : {":7400", ":7410", ":7420"}) {
    text = Replaced(text, std::string("0.0.0.0") + usual, "127.0.0.1:" + std::to_string(own.port));
    text = Replaced(text, usual, ":" + std::to_string(own.port));
  }
  text = Replaced(text, "/var/backups/drover", dir_ / "backups");
  text = Replaced(text, "/var/lib/drover/store", dir_ / "store");
  for (const char* top : {"/var/lib/", "/etc/"}) {
    text = std::regex_replace(text, std::regex(std::string("(^|[\\s\"'=])") + top), "$1" + (dir_ / host) + top);
  }
  return text;
}

std::string Site::OnPage(std::string text) const {
  for (const auto& [name, ports] : hosts_) {
    const std::string role = RoleOf(name);
    const std::string usual = role == "coord" ? ":7400" : role == "master" ? ":7410" : ":7420";
    text = Replaced(text, "127.0.0.1:" + std::to_string(ports.port), name + usual);
    text = Replaced(text, dir_ / name + "/", "/");
  }
  return Replaced(text, dir_ / "backups", "/var/backups/drover");
}

void Site::Configure(const std::string& host, const std::string& more) {
  const std::string role = RoleOf(host);
  std::string text = ReadFile(std::string(DROVER_SOURCE_DIR) + "/deploy/examples/" + role + ".toml");
  if (role == "coord") text = Replaced(text, "id = 1\n", "id = " + host.substr(4) + "\n");
  text = Replaced(text, "m1:", host + ":");
  text = Replaced(Replaced(text, "w1:", host + ":"), "\"w1\"", "\"" + host + "\"");
  WriteFile(dir_ / host + "/etc/drover/" + role + ".toml", Here(host, text + more));
}

void Site::CopyConfiguration(const std::string& from, const std::string& to) {
  const std::string file = "/etc/drover/" + RoleOf(to) + ".toml";
  // What differs here differs there by the host alone.
  std::string text = Replaced(ReadFile(dir_ / from + file), dir_ / from + "/", dir_ / to + "/");
  const auto port = [this](const std::string& host) { return "listen = \"127.0.0.1:" + std::to_string(hosts_.at(host).port); };
  const auto http = [this](const std::string& host) { return "http = \"127.0.0.1:" + std::to_string(hosts_.at(host).http); };
  WriteFile(dir_ / to + file, Replaced(Replaced(text, port(from), port(to)), http(from), http(to)));
}

void Site::Start(const std::string& host) {
  services_.Systemctl(host, {"start", "drover-" + RoleOf(host)});
}

CommandResult Site::RunOn(const std::string& host, const std::string& script) {
  CommandOptions options;
  options.env = {{"PATH", services_.programs() + ":" + Binary("") + ":/usr/sbin:/usr/bin:/sbin:/bin"}, {"DROVER_TEST_HOST", host}};
  const CommandResult result = RunCommand({"bash", "-ec", Here(host, script)}, options);
  said_ += OnPage(result.out) + "\n" + OnPage(result.err) + "\n";
  return result;
}

CommandResult Site::Run(const std::string& block) {
  std::vector<std::pair<std::vector<std::string>, std::string>> parts(1, {{"desk"}, ""});
  std::istringstream in(block);
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> hosts = HostsOf(line);
    if (!hosts.empty()) parts.emplace_back(hosts, "");
    parts.back().second += line + "\n";
  }
  CommandResult all;
  all.exit_code = 0;
  // What every shell of the operator has.
  const std::string prologue = "export DROVER_COORD=core1:7400,core2:7400,core3:7400\n";
  for (const auto& [hosts, script] : parts) {
    for (const std::string& host : hosts) {
      const CommandResult one = RunOn(host, prologue + script);
      all.out += OnPage(one.out);
      all.err += OnPage(one.err);
      all.exit_code = one.exit_code;
      if (one.exit_code != 0) {
        all.err += "on " + host + ": exit code " + std::to_string(one.exit_code) + "\n" + script;
        return all;
      }
    }
  }
  return all;
}

std::string Site::Addresses(const std::vector<int>& ids) const {
  std::string all;
  for (const int id : ids) {
    all += (all.empty() ? "" : ",") + Here("desk", "core" + std::to_string(id) + ":7400");
  }
  return all;
}

CommandResult Site::Drover(const std::vector<std::string>& args) {
  std::vector<std::string> argv = {Binary("drover")};
  // Given twice, the nodes of both would be asked.
  const bool given = std::find(args.begin(), args.end(), "--coord") != args.end();
  if (!given) argv.insert(argv.end(), {"--coord", Addresses({1, 2, 3, 4, 5, 6})});
  argv.insert(argv.end(), args.begin(), args.end());
  CommandResult result = RunCommand(argv);
  said_ += OnPage(result.out) + "\n" + OnPage(result.err) + "\n";
  return result;
}

std::string Site::Http(const std::string& host, const std::string& path) {
  const CommandResult page = RunCommand({"curl", "-s", "127.0.0.1:" + std::to_string(hosts_.at(host).http) + path});
  // Of metrics, what they are and not what they could be.
  std::string values;
  std::istringstream in(page.out);
  for (std::string line; std::getline(in, line);) {
    if (line[0] != '#') values += line + "\n";
  }
  said_ += OnPage(values) + "\n";
  return values;
}

std::string Site::Said() const {
  std::string all = said_;
  for (const auto& [host, ports] : hosts_) {
    const std::string role = RoleOf(host);
    if (!role.empty()) all += OnPage(services_.Log(host, "drover-" + role));
  }
  return all;
}

bool Site::WasSaid(const std::string& text) const {
  std::istringstream in(Said());
  for (std::string line; std::getline(in, line);) {
    std::size_t at = 0;
    std::size_t begin = 0;
    bool found = true;
    while (found && begin <= text.size()) {
      const std::size_t end = std::min(text.find("...", begin), text.size());
      const std::string part = text.substr(begin, end - begin);
      at = line.find(part, at);
      found = at != std::string::npos;
      at += part.size();
      begin = end + 3;
    }
    if (found) return true;
  }
  return false;
}

}  // namespace drover::testing
