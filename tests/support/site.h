// Several hosts as deploy/README.md sets them up (core1, m1, w1 ...), each a directory and ports of this machine: what a page for
// operators is run on, line by line as it stands.
//
// A line is run with its host names and ports, `/etc/` and `/var/` in it replaced by the host's own; what programs have said is
// turned back, so that it can be compared with what the page says. The configuration is that of deploy/examples.
#ifndef DROVER_TESTS_SUPPORT_SITE_H_
#define DROVER_TESTS_SUPPORT_SITE_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/services.h"

namespace drover::testing {

class Site {
 public:
  // The hosts: core1 to core6, m1, m2, w1, w2, and `desk`, where no service runs.
  Site();
  // Ends everything, the reapers of workers included.
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  // Writes /etc/drover/ROLE.toml: that of deploy/examples for this host, and more lines.
  void Configure(const std::string& host, const std::string& more = "");
  // As an operator does to set up a new host.
  void CopyConfiguration(const std::string& from, const std::string& to);
  void Start(const std::string& host);
  Services& services() { return services_; }

  // Runs a block: the lines behind "# on core2, then core3" on each of these hosts in turn, those before the first such line, and
  // behind "# anywhere", on `desk`. Each host's lines are one script that ends where a command fails; so does all of it.
  CommandResult Run(const std::string& block);
  // A command with the addresses of core1 to core6.
  CommandResult Drover(const std::vector<std::string>& args);

  // As the page writes it -> as it is here.
  [[nodiscard]] std::string Here(const std::string& host, std::string text) const;
  // The reverse: addresses and paths as on the page.
  [[nodiscard]] std::string OnPage(std::string text) const;
  // A page of a host's HTTP port, "/readyz" or "/metrics", without lines of comment.
  std::string Http(const std::string& host, const std::string& path);
  // Everything that services, commands and HTTP pages have said so far, as on the page.
  [[nodiscard]] std::string Said() const;
  // A text of the page was said: its parts between "..." stand in one line, in this order.
  [[nodiscard]] bool WasSaid(const std::string& text) const;
  // The addresses of these coordination nodes, joined by commas.
  [[nodiscard]] std::string Addresses(const std::vector<int>& ids) const;

 private:
  struct Ports {
    int port = 0;  // where its server listens
    int http = 0;
  };
  [[nodiscard]] static std::string RoleOf(const std::string& host);
  CommandResult RunOn(const std::string& host, const std::string& script);
  [[nodiscard]] std::vector<pid_t> Reapers() const;

  TemporaryDirectory dir_;
  std::map<std::string, Ports> hosts_;
  std::string said_;
  Services services_;
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_SITE_H_
