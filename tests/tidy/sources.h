// The project's own sources as text, and the rules that hold over them.
#ifndef DROVER_TESTS_TIDY_SOURCES_H_
#define DROVER_TESTS_TIDY_SOURCES_H_

#include <ostream>
#include <string>
#include <vector>

namespace drover::tidy {

struct Source {
  std::string path;  // relative to the root, with '/'
  std::vector<std::string> lines;
};

struct Finding {
  std::string path;
  std::size_t line = 0;  // from 1; 0: the file as a whole
  std::string what;
  friend bool operator==(const Finding&, const Finding&) = default;
};
std::ostream& operator<<(std::ostream& os, const Finding& finding);

// Every .h, .cc, .proto, CMakeLists.txt and .cmake file of the tree at `root`, sorted by path; nothing below build/.
std::vector<Source> ReadSources(const std::string& root);

// ---- rules; each returns what breaks it ----

// Pure rooms and rooms without gRPC include, name and use nothing that is not theirs.
std::vector<Finding> CheckRooms(const std::vector<Source>& sources);
// Code that decides or replicates: no unordered container, no std:: distribution, no mutable static, no blocking
// call, no clock but the loop's.
std::vector<Finding> CheckDeterminism(const std::vector<Source>& sources);
// Every *_test.cc stands in its folder's CMakeLists.txt, at the mirrored path of a file or folder that exists, with no test
// disabled.
std::vector<Finding> CheckTests(const std::vector<Source>& sources);
// No file over 800 lines, include guards by path, no marks of unfinished work.
std::vector<Finding> CheckHabits(const std::vector<Source>& sources);

}  // namespace drover::tidy

#endif  // DROVER_TESTS_TIDY_SOURCES_H_
