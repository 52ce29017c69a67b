// The one function that Rust's standard library takes from bcryptprimitives.dll, for versions of
// Wine that have no such library (before 9): check-arm runs the program of Windows with it.
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID bytes, ULONG n);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T n) {
    return SystemFunction036(bytes, (ULONG)n);
}
