// `drover-coord log dump|verify DIR`: looks at a node's data directory, whether the node runs or not, and changes nothing.
//
// Exit codes: 0 all is well; 1 the log is damaged, of another version, missing or unreadable; 2 usage.
#ifndef DROVER_COORD_SERVER_LOG_COMMAND_H_
#define DROVER_COORD_SERVER_LOG_COMMAND_H_

#include <cstdint>
#include <iosfwd>
#include <string>

#include "coord/base/file_system.h"

namespace drover::coord::server {

// The command line after "drover-coord": argv[0] is "log".
int LogCommand(int argc, const char* const* argv);

// What it stands on, for tests.
enum class LogFormat : std::uint8_t { kTable, kJson, kJsonl };
// Prints every segment header, frame and entry that counts, in the order written, as it reads them. If it comes to damage, it has
// printed what lies before.
int DumpLog(base::FileSystem* files, const std::string& directory, LogFormat format, std::ostream& out, std::ostream& err);
// Reads everything and says in a few lines what there is, or what is wrong where and what to do.
int VerifyLog(base::FileSystem* files, const std::string& directory, LogFormat format, std::ostream& out, std::ostream& err);

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_LOG_COMMAND_H_
