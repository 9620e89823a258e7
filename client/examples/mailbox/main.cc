// A mailbox service: every mailbox is at one of several servers, the core knows at which, and a dead server's mailboxes move.
//
//   drover-example-mailbox serve --name m1 --store DIR        a server
//   drover-example-mailbox create ann
//   drover-example-mailbox send ann 'good morning'
//   drover-example-mailbox read ann
//   drover-example-mailbox where [ann]
#include <iostream>

#include "client/examples/mailbox/server.h"
#include "client/examples/mailbox/tree.h"
#include "client/examples/program/command_line.h"
#include "client/examples/program/place.h"
#include "drover/coord/status.h"

namespace drover::examples::mailbox {
namespace {

// One attempt of a call: a server that stands still shall not eat up all of the time there is.
constexpr base::Duration kAttempt = std::chrono::seconds(2);

absl::Status Serve(const CommandLine& line) {
  const std::string& name = line.Flag("name");
  if (absl::Status named = CheckName(name, "server"); !named.ok()) return named;
  Stop stop;
  Boxes boxes;
  FencedStore store(line.Flag("store"));
  auto server = Server::Start(MailHandler(name, &boxes, &store));
  if (!server.ok()) return server.status();
  std::cerr << name << " serves at " << (*server)->address() << "\n";
  return TakePart(CoreOptions(line), &stop, [&](const auto&, coord::Session& session) {
    return std::make_unique<Clerk>(&session, name, (*server)->address(), &boxes);
  });
}

absl::Status Create(const CommandLine& line) {
  const std::string& box = line.arguments[0];
  if (absl::Status named = CheckName(box, "mailbox"); !named.ok()) return named;
  auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  const absl::Status made = (*core)->Create(BoxPath(box), "", {.parents = true}).status();
  return coord::IsNodeExists(made) ? absl::AlreadyExistsError(absl::StrCat("there is a mailbox ", box, " already")) : made;
}

// The address of the server that has the mailbox, and its name. UNAVAILABLE: none has it at the moment.
struct Found {
  std::string server;
  std::string address;
};
absl::StatusOr<Found> Find(coord::BlockingClient* core, const std::string& box) {
  if (absl::Status named = CheckName(box, "mailbox"); !named.ok()) return named;
  const auto node = core->Get(BoxPath(box));
  if (coord::IsNoNode(node.status())) return absl::NotFoundError(absl::StrCat("there is no mailbox ", box));
  if (!node.ok()) return node.status();
  const Place place = DecodePlace(node->node.data);
  if (place.server.empty()) return absl::UnavailableError(absl::StrCat("no server has the mailbox ", box, " yet"));
  const auto server = core->Get(ServerPath(place.server));
  if (!server.ok() && !coord::IsNoNode(server.status())) return server.status();
  if (!server.ok() || server->node.stat.czxid != place.incarnation) {
    return absl::UnavailableError(absl::StrCat("the mailbox ", box, " is at ", place.server, ", which is gone"));
  }
  return Found{.server = place.server, .address = server->node.data};
}

// Asks the server that has the mailbox; when it moves, the next one.
absl::StatusOr<Lines> Ask(const CommandLine& line, const std::string& method, const std::vector<std::string>& arguments) {
  auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  Lines lines;
  const absl::Status asked = TryUntil(line.Time("timeout"), [&] {
    const absl::StatusOr<Found> found = Find(core->get(), arguments[0]);
    if (!found.ok()) return found.status();
    absl::StatusOr<Lines> answer = Call(found->address, method, arguments, kAttempt);
    if (answer.ok()) lines = *std::move(answer);
    return answer.status();
  });
  if (!asked.ok()) return asked;
  return lines;
}

absl::Status Send(const CommandLine& line) {
  // The same id in every attempt: mail is stored once, however often it is sent.
  return Ask(line, "send", {line.arguments[0], NewId(), line.arguments[1]}).status();
}

absl::Status Read(const CommandLine& line) {
  const absl::StatusOr<Lines> mail = Ask(line, "read", {line.arguments[0]});
  if (!mail.ok()) return mail.status();
  for (const std::string& text : *mail) std::cout << text << "\n";
  return absl::OkStatus();
}

absl::Status Where(const CommandLine& line) {
  auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  std::vector<std::string> boxes = line.arguments;
  if (boxes.empty()) {
    auto all = (*core)->Children(kBoxes);
    if (!all.ok() && !coord::IsNoNode(all.status())) return all.status();
    if (all.ok()) boxes = *std::move(all);
  }
  for (const std::string& box : boxes) {
    const absl::StatusOr<Found> found = Find(core->get(), box);
    if (!found.ok() && !absl::IsUnavailable(found.status())) return found.status();
    std::cout << box << " " << (found.ok() ? found->server + " " + found->address : "- -") << "\n";
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace drover::examples::mailbox

int main(int argc, char** argv) {
  using namespace drover::examples;           // NOLINT
  using namespace drover::examples::mailbox;  // NOLINT
  return RunProgram(
      argc, argv, "Mailboxes on several servers; the core knows which one is where.",
      {{"serve", {}, ServerFlags({{"store", kRequired}}), "A server; --store: the directory that all of them share", Serve},
       {"create", {"MAILBOX"}, ClientFlags(), "Makes a mailbox", Create},
       {"send", {"MAILBOX", "TEXT"}, ClientFlags(), "Puts a mail into it", Send},
       {"read", {"MAILBOX"}, ClientFlags(), "Prints its mails", Read},
       {"where", {"[MAILBOX]"}, ClientFlags(), "Prints the server and its address; of all mailboxes", Where}});
}
