"""SIMD vectors of four or eight doubles as values of compiled code, for loops that are vectorised by hand.

Numba's loop vectoriser makes horizontal sums and scalar remainders of the short rows of a cluster of atoms, which
cost more than the arithmetic. A ``Lanes`` value is an LLVM vector: ``+ - * /`` work on it, with floats too, and LLVM
turns it into whatever registers the processor has: eight doubles are one register with AVX-512, else two or four. A
value computed element by element is the same in either. Nothing here is cached on its own: it is all inlined.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba import config
from numba.core import cgutils, types
from numba.core.codegen import get_host_cpu_features
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

__all__ = [
    "LANES",
    "WIDEST",
    "WIDE_LANES",
    "at_least",
    "at_most",
    "exponent_shifted",
    "fused",
    "lanes",
    "larger",
    "load",
    "load_wide",
    "load_widest",
    "lower_half",
    "magnitude",
    "minus",
    "power_of_two",
    "splat",
    "splat_wide",
    "splat_widest",
    "spread",
    "spread_widest",
    "square_root",
    "stack",
    "store",
    "total",
    "totals",
    "turn",
    "upper_half",
    "where_below",
    "where_equal",
]

LANES, WIDE_LANES = 4, 8
# Eight where they are one register, otherwise four
_features = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
WIDEST = WIDE_LANES if "+avx512f" in _features.split(",") else LANES
_INDEX = ir.IntType(32)


class Lanes(types.Type):
    """Numba's type of four or eight doubles."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f"Lanes{count}")


lanes, wide_lanes = Lanes(LANES), Lanes(WIDE_LANES)


def _vector(count, item=None):
    return ir.VectorType(item or ir.DoubleType(), count)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, type_):
        super().__init__(manager, type_, _vector(type_.count))


def _shuffle(builder, vector, picks):
    mask = ir.Constant(ir.VectorType(_INDEX, len(picks)), picks)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _splat(builder, value, count):
    undefined = ir.Constant(_vector(count), ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(_INDEX, 0))
    return _shuffle(builder, first, [0] * count)


def _of(kinds):
    """Return the type of lanes among two types."""
    return kinds[0] if isinstance(kinds[0], Lanes) else kinds[1]


def _register(operation, instruction: str) -> None:
    kinds = [pair for one in (lanes, wide_lanes) for pair in ((one, one), (one, types.float64), (types.float64, one))]

    class Operation(ConcreteTemplate):
        cases = [signature(_of(kind), *kind) for kind in kinds]  # noqa: RUF012  (numba's own convention)

    def lower(context, builder, sig, arguments):
        count = sig.return_type.count
        both = [
            value if isinstance(kind, Lanes) else _splat(builder, value, count)
            for kind, value in zip(sig.args, arguments, strict=True)
        ]
        return getattr(builder, instruction)(*both)

    infer_global(operation)(Operation)
    for kind in kinds:
        lower_builtin(operation, *kind)(lower)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _register(_operation, _instruction)


def _address(context, builder, kind, array, index, count):
    data = cgutils.create_struct_proxy(kind)(context, builder, value=array).data
    return builder.bitcast(builder.gep(data, [index]), _vector(count).as_pointer())


@intrinsic(prefer_literal=True)
def stack(typingctx, count):
    """``stack(count)``: an array of float64 on the stack, not cleared, gone with the function; count is a number."""
    kind = types.Array(types.float64, 1, "C")
    size = count.literal_value

    def codegen(context, builder, sig, arguments):
        with builder.goto_entry_block():
            block = builder.alloca(ir.ArrayType(ir.DoubleType(), size))
        block.align = 8 * LANES
        array = context.make_array(kind)(context, builder)
        shape, item = context.get_constant(types.intp, size), context.get_constant(types.intp, 8)
        context.populate_array(
            array,
            data=builder.bitcast(block, ir.DoubleType().as_pointer()),
            shape=cgutils.pack_array(builder, [shape]),
            strides=cgutils.pack_array(builder, [item]),
            itemsize=item,
            meminfo=None,
        )
        return array._getvalue()

    return kind(count), codegen


def _splatting(kind: Lanes, text: str):
    @intrinsic
    def splatted(typingctx, value):
        def codegen(context, builder, sig, arguments):
            return _splat(builder, arguments[0], kind.count)

        return kind(types.float64), codegen

    splatted.__doc__ = text
    return splatted


def _loading(kind: Lanes, text: str):
    @intrinsic
    def loaded(typingctx, array, index):
        def codegen(context, builder, sig, arguments):
            place, first = arguments
            return builder.load(_address(context, builder, sig.args[0], place, first, kind.count), align=8)

        return kind(array, types.intp), codegen

    loaded.__doc__ = text
    return loaded


def _spreading(kind: Lanes, text: str):
    @intrinsic
    def spreaded(typingctx, array, index):
        def codegen(context, builder, sig, arguments):
            data = cgutils.create_struct_proxy(sig.args[0])(context, builder, value=arguments[0]).data
            return _splat(builder, builder.load(builder.gep(data, [arguments[1]])), kind.count)

        return kind(array, types.intp), codegen

    spreaded.__doc__ = text
    return spreaded


splat = _splatting(lanes, "``splat(value)``: the same float in each of four lanes.")
splat_wide = _splatting(wide_lanes, "``splat_wide(value)``: the same float in each of eight lanes.")
load = _loading(lanes, "``load(array, index)``: four entries from index on of a contiguous float64 array, unchecked.")
load_wide = _loading(wide_lanes, "``load_wide(array, index)``: eight entries, as :func:`load`.")
spread = _spreading(lanes, "``spread(array, index)``: one entry of an array in each of four lanes, as :func:`load`.")
# for loops that keep many values in registers: of as many lanes as a register has
_widest = wide_lanes if WIDEST == WIDE_LANES else lanes
splat_widest = _splatting(_widest, "``splat_widest(value)``: the same float in each of WIDEST lanes.")
load_widest = _loading(_widest, "``load_widest(array, index)``: WIDEST entries, as :func:`load`.")
spread_widest = _spreading(_widest, "``spread_widest(array, index)``: one entry in each of WIDEST lanes.")


@intrinsic
def store(typingctx, array, index, value):
    """``store(array, index, value)``: write all lanes from index on, unchecked."""

    def codegen(context, builder, sig, arguments):
        place, first, stored = arguments
        address = _address(context, builder, sig.args[0], place, first, value.count)
        builder.store(stored, address, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


def _half(first: int, text: str):
    @intrinsic
    def half(typingctx, value):
        def codegen(context, builder, sig, arguments):
            return _shuffle(builder, arguments[0], list(range(first, first + LANES)))

        return lanes(wide_lanes), codegen

    half.__doc__ = text
    return half


lower_half = _half(0, "``lower_half(value)``: the first four of eight lanes.")
upper_half = _half(LANES, "``upper_half(value)``: the last four of eight lanes.")


@intrinsic
def total(typingctx, value):
    """``total(value)``: the sum over the lanes, a float."""

    def codegen(context, builder, sig, arguments):
        half = builder.fadd(_shuffle(builder, arguments[0], [0, 1]), _shuffle(builder, arguments[0], [2, 3]))
        return builder.fadd(*(builder.extract_element(half, ir.Constant(_INDEX, lane)) for lane in (0, 1)))

    return types.float64(lanes), codegen


@intrinsic
def totals(typingctx, a, b, c, d):
    """``totals(a, b, c, d)``: the sums over the lanes of four values, in four lanes."""

    def codegen(context, builder, sig, arguments):
        def pairs(one, other, picks):
            return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(_INDEX, LANES), picks))

        even, odd = [0, 4, 2, 6], [1, 5, 3, 7]
        ab, cd = (
            builder.fadd(pairs(one, other, even), pairs(one, other, odd))
            for one, other in (arguments[:2], arguments[2:])
        )
        return builder.fadd(pairs(ab, cd, [0, 1, 4, 5]), pairs(ab, cd, [2, 3, 6, 7]))

    return lanes(a, b, c, d), codegen


def _bounding(order: str, text: str):
    @intrinsic
    def bounded(typingctx, value, limit):
        def codegen(context, builder, sig, arguments):
            limit = _splat(builder, arguments[1], value.count)
            return builder.select(builder.fcmp_ordered(order, arguments[0], limit), limit, arguments[0])

        return value(value, types.float64), codegen

    bounded.__doc__ = text
    return bounded


@intrinsic(prefer_literal=True)
def turn(typingctx, value, by):
    """``turn(value, by)``: lane k is lane k + by of value, counted round; ``by`` is written as a number."""

    def codegen(context, builder, sig, arguments):
        return _shuffle(builder, arguments[0], [(lane + by.literal_value) % LANES for lane in range(LANES)])

    return lanes(lanes, by), codegen


@intrinsic
def larger(typingctx, one, other):
    """``larger(one, other)``: of each pair of lanes the larger."""

    def codegen(context, builder, sig, arguments):
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return one(one, one), codegen


def _choosing(order: str, text: str):
    @intrinsic
    def chosen(typingctx, kind, number, yes, no):
        def codegen(context, builder, sig, arguments):
            value, number, yes, no = arguments
            return builder.select(builder.fcmp_ordered(order, value, _splat(builder, number, kind.count)), yes, no)

        return kind(kind, types.float64, kind, kind), codegen

    chosen.__doc__ = text
    return chosen


where_equal = _choosing(
    "==", "``where_equal(value, number, yes, no)``: lane by lane ``yes`` where value is the number, else ``no``."
)
where_below = _choosing(
    "<", "``where_below(value, number, yes, no)``: lane by lane ``yes`` where value is below the number, else ``no``."
)

at_most = _bounding(">", "``at_most(value, limit)``: no lane above a float; NaN stays NaN.")
at_least = _bounding("<", "``at_least(value, limit)``: no lane below a float; NaN stays NaN.")


@intrinsic
def power_of_two(typingctx, shifted):
    """``power_of_two(shifted)``: 2**n, where shifted is n + 1.5 * 2**52: its low bits moved into the exponent."""

    def codegen(context, builder, sig, arguments):
        kind = _vector(shifted.count, ir.IntType(64))
        bits = builder.shl(builder.bitcast(arguments[0], kind), ir.Constant(kind, [52] * shifted.count))
        bits = builder.add(bits, ir.Constant(kind, [1023 << 52] * shifted.count))
        return builder.bitcast(bits, arguments[0].type)

    return shifted(shifted), codegen


@intrinsic
def exponent_shifted(typingctx, value):
    """``exponent_shifted(value)``: n + 1.5 * 2**52, where 2**n is the largest power of two up to a positive value."""

    def codegen(context, builder, sig, arguments):
        kind = _vector(value.count, ir.IntType(64))
        bits = builder.lshr(builder.bitcast(arguments[0], kind), ir.Constant(kind, [52] * value.count))
        bits = builder.add(bits, ir.Constant(kind, [0x4338000000000000 - 1023] * value.count))
        return builder.bitcast(bits, arguments[0].type)

    return value(value), codegen


@intrinsic
def minus(typingctx, value):
    """``minus(value)``: the sign of every lane turned."""

    def codegen(context, builder, sig, arguments):
        return builder.fneg(arguments[0])

    return value(value), codegen


def _called(name: str, count: int, text: str):
    """Return a function of `count` values of lanes that calls one of LLVM's own."""

    def codegen(context, builder, sig, arguments):
        vector = arguments[0].type
        kind = ir.FunctionType(vector, [vector] * count)
        symbol = f"llvm.{name}.v{vector.count}f64"
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, symbol), arguments)

    @intrinsic
    def of_one(typingctx, value):
        return value(value), codegen

    @intrinsic
    def of_three(typingctx, one, other, third):
        return one(one, one, one), codegen

    called = of_one if count == 1 else of_three
    called.__doc__ = text
    return called


magnitude = _called("fabs", 1, "``magnitude(value)``: every lane without its sign.")
fused = _called("fma", 3, "``fused(a, b, c)``: a * b + c, rounded once.")


@intrinsic
def square_root(typingctx, value):
    """``square_root(value)``: of a float, or lane by lane; NaN below zero."""
    kind, suffix = (lanes, f"v{LANES}f64") if value == lanes else (types.float64, "f64")

    def codegen(context, builder, sig, arguments):
        llvm_kind = arguments[0].type
        function = ir.FunctionType(llvm_kind, [llvm_kind])
        return builder.call(cgutils.get_or_insert_function(builder.module, function, f"llvm.sqrt.{suffix}"), arguments)

    return kind(kind), codegen
