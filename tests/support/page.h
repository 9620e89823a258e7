// A page of Markdown, as far as tests that hold it against the programs read it: its sections, what stands in fences, its tables.
#ifndef DROVER_TESTS_SUPPORT_PAGE_H_
#define DROVER_TESTS_SUPPORT_PAGE_H_

#include <string>
#include <vector>

namespace drover::testing {

struct Section {
  std::string title;                             // empty: what stands before the first heading
  std::vector<std::string> shell;                // the ```sh blocks, in order
  std::vector<std::string> texts;                // the ```text blocks, in order
  std::vector<std::vector<std::string>> tables;  // the rows of all tables, their cells trimmed, without the lines of dashes

  // What a link to it is: "#3-files-are-damaged".
  [[nodiscard]] std::string anchor() const;
};

// Every heading, of whatever level, begins a section.
std::vector<Section> SectionsOf(const std::string& page);

// All ```sh blocks of a page, in order.
std::vector<std::string> ShellBlocks(const std::string& page);

// What stands `between backticks`.
std::vector<std::string> Quoted(const std::string& text);

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_PAGE_H_
