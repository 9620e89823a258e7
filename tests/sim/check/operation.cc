#include "tests/sim/check/operation.h"

#include <cstddef>

namespace drover::sim::check {
namespace {

const char* NameOf(Kind kind) {
  static constexpr const char* kNames[] = {"create", "delete", "set", "get", "exists", "children", "transaction", "end-session"};
  return kNames[static_cast<std::size_t>(kind)];
}

const char* NameOf(Code code) {
  switch (code) {
    case Code::kOk:
      return "OK";
    case Code::kNoNode:
      return "NO_NODE";
    case Code::kNodeExists:
      return "NODE_EXISTS";
    case Code::kBadVersion:
      return "BAD_VERSION";
    default:
      return "refused";
  }
}

template <typename Write>
void PrintWrite(std::ostream& os, const Write& write) {
  os << NameOf(write.kind);
  if (!write.path.empty()) os << " " << write.path;
  if (write.kind == Kind::kCreate || write.kind == Kind::kSet) os << " \"" << write.data << "\"";
  if (write.expected_version) os << " if v" << *write.expected_version;
  if (write.owner.value != 0) os << " of session " << write.owner;
}

}  // namespace

bool IsRead(Kind kind) {
  return kind == Kind::kGet || kind == Kind::kExists || kind == Kind::kChildren;
}

std::ostream& operator<<(std::ostream& os, const Operation& operation) {
  os << "[" << operation.invoked << ", ";
  if (operation.returned) {
    os << *operation.returned;
  } else {
    os << "?";
  }
  os << "] client " << operation.client << ": ";
  PrintWrite(os, operation);
  if (operation.kind == Kind::kTransaction) {
    for (const Compare& compare : operation.compares)
      os << " " << compare.path << (compare.field == Compare::Field::kExists ? ".exists=" : ".version=") << compare.equals;
    os << " then {";
    for (const Change& change : operation.then) PrintWrite(os << " ", change);
    os << " } else {";
    for (const Change& change : operation.otherwise) PrintWrite(os << " ", change);
    os << " }";
  }
  if (!operation.returned) return os << " -> unknown";
  os << " -> " << NameOf(operation.result.code);
  if (operation.kind == Kind::kTransaction && operation.result.code == Code::kOk)
    os << (operation.result.succeeded ? " then" : " else");
  if (operation.kind == Kind::kGet && operation.result.code == Code::kOk) os << " \"" << operation.result.data << "\"";
  if (operation.result.version) os << " v" << *operation.result.version;
  if (operation.kind == Kind::kChildren) {
    os << " {";
    for (const std::string& name : operation.result.names) os << " " << name;
    os << " }";
  }
  return os;
}

}  // namespace drover::sim::check
