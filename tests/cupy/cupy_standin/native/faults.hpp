#pragma once
#include "standin.hpp"
namespace standin {
// Run *work*; false, and the address, when it touched what it must not.
bool survives(const Work& work, const void** where);
}  // namespace standin
